//! The cache's folders, each either complete or absent.
//!
//! Owns the cache's layout: `<root>/<key>` is complete, `<root>/<key>.staging` is being written by the
//! process that holds the lock on `<root>/<key>.lock`. Invariant: a folder gets its final name only after all of it is
//! on the disk, so a reader needs no lock and a killed process leaves no folder that looks complete.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::Error;

/// The root folder of the cache, which need not exist.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    root: PathBuf,
}

/// What happens to the staging folder of a killed process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leftovers {
    /// It is removed: the work starts from an empty folder.
    Remove,
    /// It is kept: the work continues from its content.
    Resume,
}

/// One folder of the cache, complete or not.
pub(super) struct Entry<'a> {
    directory: PathBuf,
    staging: PathBuf,
    lock: PathBuf,
    leftovers: Leftovers,
    intact: Box<dyn Fn(&Path) -> bool + 'a>,
}

impl Cache {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// A path below the root.
    pub(super) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The folder `key`, a relative path. A key that leads out of the cache is an error.
    pub(super) fn entry<'a>(&self, key: &str, leftovers: Leftovers) -> Result<Entry<'a>, Error> {
        let inside = Path::new(key)
            .components()
            .all(|component| matches!(component, Component::Normal(_)));
        if key.is_empty() || !inside {
            return Err(Error::Key {
                key: key.to_owned(),
            });
        }
        let beside = |suffix| self.root.join(format!("{key}.{suffix}"));
        Ok(Entry {
            directory: self.root.join(key),
            staging: beside("staging"),
            lock: beside("lock"),
            leftovers,
            intact: Box::new(|_| true),
        })
    }
}

impl<'a> Entry<'a> {
    /// Sets a cheap check that a complete folder has not been damaged since.
    pub(super) fn intact_when(mut self, intact: impl Fn(&Path) -> bool + 'a) -> Self {
        self.intact = Box::new(intact);
        self
    }

    /// Path of the complete folder, which may not exist yet.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the folder exists and is intact.
    pub(super) fn is_complete(&self) -> bool {
        self.directory.is_dir() && (self.intact)(&self.directory)
    }

    /// Returns the complete folder; `fill` first writes its content into a staging folder if it is missing.
    ///
    /// If several processes need it at the same time, one does the work and the others wait.
    pub(super) fn create<E: From<Error>>(
        self,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        if self.is_complete() {
            return Ok(self.directory);
        }
        let _held = self.lock()?;
        if self.is_complete() {
            return Ok(self.directory);
        }
        self.prepare_staging()?;
        let filled = fill(&self.staging);
        if filled.is_err() && self.leftovers == Leftovers::Remove {
            remove_directory(&self.staging)?;
        }
        filled?;
        self.publish()?;
        Ok(self.directory)
    }

    /// The lock is released when the file is closed, also if the process is killed.
    fn lock(&self) -> Result<fs::File, Error> {
        let failed = Error::file("lock", &self.lock);
        if let Some(parent) = self.lock.parent() {
            fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        }
        let file = fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&self.lock)
            .map_err(&failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                log::info!(
                    "waiting for another process that creates {}",
                    self.directory.display()
                );
                file.lock().map_err(&failed)?;
            }
            Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
        Ok(file)
    }

    fn prepare_staging(&self) -> Result<(), Error> {
        match self.leftovers {
            Leftovers::Remove => remove_directory(&self.staging)?,
            Leftovers::Resume => {}
        }
        fs::create_dir_all(&self.staging).map_err(Error::file("create", &self.staging))
    }

    fn publish(&self) -> Result<(), Error> {
        sync_tree(&self.staging)?;
        if self.directory.exists() {
            log::warn!(
                "{} is damaged and is created again",
                self.directory.display()
            );
            remove_directory(&self.directory)?;
        }
        fs::rename(&self.staging, &self.directory)
            .map_err(Error::file("create", &self.directory))?;
        self.directory.parent().map_or(Ok(()), sync)
    }
}

/// Removes a folder that may be missing.
pub(super) fn remove_directory(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("remove", path)(source))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Syncs a folder and everything below it, so that they survive a power failure.
fn sync_tree(directory: &Path) -> Result<(), Error> {
    let failed = Error::file("read", directory);
    for entry in fs::read_dir(directory).map_err(&failed)? {
        let entry = entry.map_err(&failed)?;
        if entry.file_type().map_err(&failed)?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            sync(&entry.path())?;
        }
    }
    sync(directory)
}

fn sync(path: &Path) -> Result<(), Error> {
    fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(Error::file("write", path))
}
