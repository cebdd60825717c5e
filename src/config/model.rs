//! Settings of the model to serve.
//!
//! Invariant: the defaults name a pinned model. A name and a directory exclude each other: of two sources the more important one
//! decides, and in one source the directory.

use std::collections::HashSet;
use std::path::PathBuf;

use model::Precision;
use serde::Deserialize;

const NAME: &str = "model.name";
const DIRECTORY: &str = "model.directory";

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

/// Whether a name overrides the directory of a less important source. `sources` hold the settings that each source gives, the
/// most important first; the settings' file is not among them, because it is the last.
pub(super) fn name_wins<const N: usize>(sources: [HashSet<String>; N]) -> bool {
    let gives = |source: &HashSet<String>, setting| source.contains(setting);
    sources
        .iter()
        .find(|source| gives(source, NAME) || gives(source, DIRECTORY))
        .is_some_and(|source| !gives(source, DIRECTORY))
}
