//! A file that is not complete yet.
//!
//! Owns `<file>.partial`. Invariant: a file gets its final name only after its size and sha256 match the pin and it is on
//! the disk, so a file with a final name needs no second check.

use std::ffi::OsString;
use std::fs;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use super::digest::Hasher;
use super::{Error, Fault, pins};

/// The beginning of a file and its digest.
pub(super) struct Partial<'a> {
    pin: &'a pins::File,
    target: PathBuf,
    path: PathBuf,
    file: fs::File,
    hasher: Hasher,
    length: u64,
}

impl<'a> Partial<'a> {
    /// Opens what an earlier run left of `target`, or an empty file.
    pub(super) fn open(pin: &'a pins::File, target: &Path) -> Result<Self, Error> {
        let mut name = target
            .file_name()
            .map_or_else(OsString::new, OsString::from);
        name.push(".partial");
        let path = target.with_file_name(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
        }
        let file = fs::File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(Error::file("open", &path))?;
        let mut hasher = Hasher::default();
        let length = hasher
            .read_to_end_of(&file)
            .map_err(Error::file("read", &path))?;
        Ok(Self {
            pin,
            target: target.to_owned(),
            path,
            file,
            hasher,
            length,
        })
    }

    /// Length so far, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.write_all(bytes)
            .map_err(Error::file("write", &self.path))
    }

    /// Discards the content.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .map_err(Error::file("write", &self.path))?;
        self.hasher = Hasher::default();
        self.length = 0;
        Ok(())
    }

    /// Fails unless this is the pinned file.
    fn check(&self) -> Result<(), Fault> {
        if self.length != self.pin.bytes {
            return Err(Fault::different_size(self.pin.bytes, self.length));
        }
        let digest = self.hasher.digest();
        if digest != self.pin.sha256 {
            return Err(Fault::Different {
                expected: format!("sha256 {}", self.pin.sha256),
                got: format!("sha256 {digest}"),
            });
        }
        Ok(())
    }

    /// Moves the file to its final name if it is the pinned one; otherwise the inner result says how it differs.
    pub(super) fn keep(&self) -> Result<Result<(), Fault>, Error> {
        if let Err(fault) = self.check() {
            return Ok(Err(fault));
        }
        self.file
            .sync_all()
            .map_err(Error::file("write", &self.path))?;
        fs::rename(&self.path, &self.target).map_err(Error::file("create", &self.target))?;
        Ok(Ok(()))
    }
}

impl Write for Partial<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
