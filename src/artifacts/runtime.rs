//! ONNX Runtime's shared library, as a file of the cache.
//!
//! Owns the name of this system and the extraction from the wheel. Invariant: a library that the settings name is used
//! unchanged or rejected, never replaced.

use std::env::consts;
use std::fs;
use std::path::{Path, PathBuf};

use super::cache::Leftovers;
use super::{Error, Store, cache, pins, pip};

const WHEEL_DIRECTORY: &str = ".wheel";

impl Store {
    /// Path of ONNX Runtime's shared library: the one in the settings, else the pinned one, downloaded if missing.
    pub fn runtime_library(&self) -> Result<PathBuf, Error> {
        if let Some(path) = &self.runtime_library {
            let exists = path.is_file();
            return exists
                .then(|| path.clone())
                .ok_or_else(|| Error::NoRuntimeLibrary { path: path.clone() });
        }
        let system = system();
        let runtime = &self.pins().onnxruntime;
        let wheel = self.pins().runtime(&system)?;
        let library = file_name(&wheel.library);
        let key = format!("runtime/{}-{}-{system}", runtime.package, runtime.version);
        let entry = self
            .cache
            .entry(&key, Leftovers::Remove)?
            .intact_when(|directory| directory.join(library).is_file());
        if self.offline && !entry.is_complete() {
            return Err(Error::Offline {
                path: entry.directory().join(library),
                remedy:
                    "run `runpod-query fetch` with a model's name where downloads are allowed, \
                         or set ORT_DYLIB_PATH to another library"
                        .to_owned(),
            });
        }
        let directory = entry.create(|staging| self.unpack(runtime, wheel, staging))?;
        Ok(directory.join(library))
    }

    fn unpack(
        &self,
        runtime: &pins::Runtime,
        pin: &pins::RuntimeWheel,
        staging: &Path,
    ) -> Result<(), Error> {
        let directory = staging.join(WHEEL_DIRECTORY);
        let mut wheel =
            pip::Wanted::runtime(runtime, pin).fetch(&self.sources.interpreters, &directory)?;
        for member in runtime.notices.iter().chain([&pin.library]) {
            let path = staging.join(file_name(member));
            let mut file = fs::File::create(&path).map_err(Error::file("create", &path))?;
            wheel.extract(member, &mut file)?;
        }
        cache::remove_directory(&directory)
    }
}

/// This system's name, as Nix spells it.
fn system() -> String {
    let kernel = match consts::OS {
        "macos" => "darwin",
        other => other,
    };
    format!("{}-{kernel}", consts::ARCH)
}

fn file_name(member: &str) -> &str {
    member.rsplit_once('/').map_or(member, |(_, name)| name)
}
