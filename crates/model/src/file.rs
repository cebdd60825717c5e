//! Reading the files of model directories and checkpoints. An error names the file.

use std::io;
use std::path::Path;

use crate::error::Error;

/// Reads a regular file. Anything else would block, or never end.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let read = || {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        std::fs::read(path)
    };
    read().map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}
