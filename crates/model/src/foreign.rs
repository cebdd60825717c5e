//! Model directories of other exporters, which have no `model.json`.
//!
//! Owns their description, which is made from the files of SentenceTransformers and the transformer's `config.json`.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::Deserialize;

use crate::checkpoint_files::CONFIG_FILE;
use crate::description::Description;
use crate::error::Error;
use crate::json::read_json;
use crate::origin::Origin;
use crate::precision::Precision;
use crate::sentence_transformers::{Pooling, SentenceTransformer};

/// The text models whose positions begin after the padding's, so that a table has that many rows that no token uses.
const POSITIONS_AFTER_PADDING: [&str; 11] = [
    "camembert",
    "data2vec-text",
    "ibert",
    "longformer",
    "luke",
    "mpnet",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
    "xmod",
];

#[derive(Deserialize)]
struct Transformer {
    hidden_size: NonZeroUsize,
    max_position_embeddings: NonZeroUsize,
    model_type: Option<String>,
    #[serde(default = "default_padding_id")]
    pad_token_id: Option<usize>,
}

/// The padding id that all of [`POSITIONS_AFTER_PADDING`] have unless their file says something else.
fn default_padding_id() -> Option<usize> {
    Some(1)
}

/// Describes a model directory of another exporter. `pooling` is as in [`SentenceTransformer::read`].
pub fn describe(directory: &Path, pooling: Option<Pooling>) -> Result<Description, Error> {
    let sentence_transformer = SentenceTransformer::read(directory, pooling)?;
    let transformer: Transformer = read_json(&directory.join(CONFIG_FILE))?;
    let positions = transformer.positions().ok_or_else(|| Error::NotAModel {
        directory: directory.to_owned(),
        why: format!("{CONFIG_FILE} has no positions for tokens beside those for padding"),
    })?;
    let origin = Origin::of(directory)?;
    Ok(Description {
        name: origin.name,
        revision: origin.revision,
        dimensions: transformer.hidden_size,
        max_tokens: sentence_transformer.max_tokens(positions),
        pooling: sentence_transformer.pooling,
        prompt: sentence_transformer.prompt,
        precision: Precision::Fp32,
        kept_in_fp32: Vec::new(),
        source_sha256: None,
        heads: None,
    })
}

impl Transformer {
    /// How many tokens there are positions for; `None` for none.
    fn positions(&self) -> Option<NonZeroUsize> {
        let rows = self.max_position_embeddings.get();
        let model_type = self.model_type.as_deref().unwrap_or_default();
        let unused = match self.pad_token_id {
            Some(padding_id) if POSITIONS_AFTER_PADDING.contains(&model_type) => {
                padding_id.saturating_add(1)
            }
            _ => 0,
        };
        NonZeroUsize::new(rows.saturating_sub(unused))
    }
}
