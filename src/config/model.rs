//! Settings of the model to serve.
//!
//! Invariant: the defaults name a pinned model, and no alias is blank.

use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::list::list;
use model::{Pooling, Precision};

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
    /// Other names under which requests may ask for the model.
    #[serde(deserialize_with = "aliases")]
    pub aliases: Vec<String>,
    /// How token vectors are pooled, for a model whose files do not say it. If they do, it must be the same.
    pub pooling: Option<Pooling>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            name: "bge-m3".to_owned(),
            directory: None,
            precision: None,
            aliases: Vec::new(),
            pooling: None,
        }
    }
}

fn aliases<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let aliases: Vec<String> = list(deserializer)?
        .iter()
        .map(|alias| alias.trim().to_owned())
        .collect();
    if aliases.iter().any(String::is_empty) {
        return Err(D::Error::custom("model.aliases holds a blank name"));
    }
    Ok(aliases)
}
