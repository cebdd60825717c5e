//! Settings of the model to serve.
//!
//! Invariant: the defaults name a pinned model.

use std::path::PathBuf;

use model::{Pooling, Precision};
use serde::Deserialize;

/// The model to serve.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// Name of a pinned model: `bge-m3` or `minilm`.
    pub name: String,
    /// A model directory to serve instead of a pinned model.
    pub directory: Option<PathBuf>,
    /// Precision of the pinned model; absent: fp32. A model directory must have it, if it is given.
    pub precision: Option<Precision>,
    /// How token vectors are pooled, for a model whose files do not say it. If they do, it must be the same.
    pub pooling: Option<Pooling>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            name: "bge-m3".to_owned(),
            directory: None,
            precision: None,
            pooling: None,
        }
    }
}
