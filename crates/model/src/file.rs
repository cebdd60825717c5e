//! Reading the files of model directories and checkpoints.
//!
//! Only regular files are opened: others may block, or never end. An error names the file.

use std::fs::Metadata;
use std::io;
use std::path::Path;

use crate::error::Error;

/// The contents of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    metadata(path)?;
    std::fs::read(path).map_err(Error::reading(path))
}

/// The metadata of a file.
pub fn metadata(path: &Path) -> Result<Metadata, Error> {
    let metadata = std::fs::metadata(path).map_err(Error::reading(path))?;
    if metadata.is_file() {
        return Ok(metadata);
    }
    Err(Error::reading(path)(io::Error::other(
        "it is not a regular file",
    )))
}
