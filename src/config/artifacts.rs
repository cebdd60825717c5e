//! Settings of downloads and of the cache folder.
//!
//! Invariant: a relative path in the environment is never used for the cache.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Error, Secret};

/// Where files come from and where they are kept.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Artifacts {
    /// Folder for downloaded and exported files; absent: `runpod-query` in the user's cache folder.
    pub cache_directory: Option<PathBuf>,
    /// Never download: a missing file is an error that names it.
    pub offline: bool,
    /// ONNX Runtime's shared library; absent: the pinned one is downloaded. `ORT_DYLIB_PATH` means the same.
    pub runtime_library: Option<PathBuf>,
    /// URL of the model hub; absent: the pinned one. `HF_ENDPOINT` means the same.
    pub hub_url: Option<String>,
    /// Token for private and gated repositories of the hub. `HF_TOKEN` means the same.
    pub hub_token: Option<Secret>,
}

impl Artifacts {
    /// The folder for downloaded and exported files.
    pub fn cache_directory(&self) -> Result<&Path, Error> {
        self.cache_directory
            .as_deref()
            .ok_or(Error::NoCacheDirectory)
    }
}

/// Follows the XDG base directory specification.
pub(super) fn default_cache_directory(environment: &HashMap<String, String>) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = PathBuf::from(environment.get(name)?);
        path.is_absolute().then_some(path)
    };
    let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(base.join("runpod-query"))
}
