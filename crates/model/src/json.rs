//! Reading the JSON files of model directories and checkpoints. An error names the file.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::Error;

/// Reads and parses the JSON file at `path`.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let bytes = std::fs::read(path).map_err(Error::reading(path))?;
    serde_json::from_slice(&bytes).map_err(|source| Error::Json {
        path: path.to_owned(),
        source,
    })
}
