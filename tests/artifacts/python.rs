//! A Python interpreter with a scripted pip.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use runpod_query::artifacts::Sha256;

/// The interpreter, and a folder with pip's wheels, its error output and its arguments.
pub struct Python {
    directory: tempfile::TempDir,
}

impl Python {
    /// pip succeeds without a wheel.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // A link instead of a copy: a file that was just written may still be open for writing in a child of another test.
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/artifacts/python-stand-in");
        symlink(script, directory.path().join("python3")).unwrap();
        Self { directory }
    }

    /// pip fails with this error output.
    pub fn failing(complaint: &str) -> Self {
        let python = Self::new();
        fs::write(python.directory.path().join("complaint"), complaint).unwrap();
        python
    }

    /// pip finds a wheel with these files.
    pub fn with_wheel(files: &[(&str, &[u8])]) -> (Self, Wheel) {
        let python = Self::new();
        let path = python.directory.path().join("some-1.0-py3-none-any.whl");
        let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        for (name, content) in files {
            archive
                .start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap();
        let bytes = fs::read(path).unwrap();
        let wheel = Wheel {
            bytes: bytes.len(),
            sha256: Sha256::of(&bytes).to_string(),
        };
        (python, wheel)
    }

    pub fn path(&self) -> OsString {
        self.directory.path().join("python3").into_os_string()
    }

    /// The arguments of the last call, and the content of its requirements file.
    pub fn arguments(&self) -> Option<String> {
        fs::read_to_string(self.directory.path().join("asked")).ok()
    }
}

/// The pin of a wheel.
pub struct Wheel {
    pub bytes: usize,
    pub sha256: String,
}
