//! Settings of the model to serve.
//!
//! Invariant: the defaults name a pinned model, and no alias is blank. A name and a directory exclude each other: of two sources the
//! more important one decides, and in one source the directory.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::list::list;
use model::{Pooling, Precision};

const NAME: &str = "model.name";
const DIRECTORY: &str = "model.directory";

/// The model to serve.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// A pinned model, `bge-m3` or `minilm`, or a repository of the hub: `owner/name`, or `owner/name@revision`.
    pub name: String,
    /// A model directory to serve instead, or a folder of several, each called by its precision.
    pub directory: Option<PathBuf>,
    /// Precision of the model; absent: fp16, or the model directory's. A model directory must have it, if it is given.
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

/// Whether a name overrides the directory of a less important source. `sources` hold the settings that each source gives, the
/// most important first; the settings' file is not among them, because it is the last.
pub(super) fn name_wins<const N: usize>(sources: [HashSet<String>; N]) -> bool {
    let gives = |source: &HashSet<String>, setting| source.contains(setting);
    sources
        .iter()
        .find(|source| gives(source, NAME) || gives(source, DIRECTORY))
        .is_some_and(|source| !gives(source, DIRECTORY))
}
