//! Reading the files of model directories and checkpoints.
//!
//! Only regular files are opened: others may block, or never end. What Git LFS leaves in the place of a file that it has not
//! fetched is never taken for the file. An error names the file.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::error::Error;

/// How a pointer of Git LFS begins, in every version of its format.
const GIT_LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The contents of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    open(path)?
        .read_to_end(&mut bytes)
        .map_err(Error::reading(path))?;
    Ok(bytes)
}

/// The length of a file in bytes.
pub fn length(path: &Path) -> Result<u64, Error> {
    let metadata = open(path)?.metadata().map_err(Error::reading(path))?;
    Ok(metadata.len())
}

/// Opens a file, to be read from its beginning.
pub fn open(path: &Path) -> Result<File, Error> {
    let metadata = std::fs::metadata(path).map_err(Error::reading(path))?;
    if !metadata.is_file() {
        return Err(Error::reading(path)(io::Error::other(
            "it is not a regular file",
        )));
    }
    let file = File::open(path).map_err(Error::reading(path))?;
    let mut beginning = [0; GIT_LFS_POINTER.len()];
    // A file that is too short for this is no pointer; a file that cannot be read is refused by whoever reads it.
    let is_long_enough = file.read_exact_at(&mut beginning, 0).is_ok();
    if is_long_enough && beginning == GIT_LFS_POINTER {
        return Err(Error::GitLfsPointer {
            path: path.to_owned(),
        });
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(contents: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), contents).unwrap();
        file
    }

    #[test]
    fn a_file_is_read_from_its_beginning_whatever_its_length() {
        for contents in [b"".as_slice(), b"{}", &[b'v'; 100]] {
            let file = file_of(contents);
            assert_eq!(read(file.path()).unwrap(), contents);
            assert_eq!(length(file.path()).unwrap(), contents.len() as u64);
        }
    }

    #[test]
    fn a_pointer_of_git_lfs_is_refused_by_its_name() {
        let file = file_of(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
        );
        let error = read(file.path()).unwrap_err().to_string();
        assert!(error.contains("git lfs pull"), "{error}");
        let name = file.path().to_str().unwrap();
        assert!(error.contains(name), "{error}");
        assert!(length(file.path()).is_err());
    }
}
