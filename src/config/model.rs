//! Settings of the model to serve.
//!
//! Invariant: the defaults name a pinned model.

use std::path::PathBuf;

use model::Precision;
use serde::Deserialize;

/// The model to serve.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// A pinned model, `bge-m3` or `minilm`, or a repository of the hub: `owner/name`, or `owner/name@revision`.
    pub name: String,
    /// A model directory to serve instead.
    pub directory: Option<PathBuf>,
    /// Precision of the model; absent: fp32. A model directory must have it, if it is given.
    pub precision: Option<Precision>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            name: "bge-m3".to_owned(),
            directory: None,
            precision: None,
        }
    }
}
