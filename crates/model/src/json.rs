//! Reading the JSON files of model directories and checkpoints. An error names the file.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::file;

/// Reads and parses the JSON file at `path`.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_slice(&file::read(path)?).map_err(|source| Error::Json {
        path: path.to_owned(),
        source,
    })
}
