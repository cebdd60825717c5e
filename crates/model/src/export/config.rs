//! The `config.json` of a checkpoint.
//!
//! Owns which transformers can be exported. A key that the file does not have has the default that transformers gives it.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::Deserialize;

use super::error::Error;
use crate::checkpoint_files::CONFIG_FILE;
use crate::graph::{Architecture, OutputHeads};
use crate::json::read_json;

/// The configuration of a transformer that can be exported.
pub struct Config {
    keys: Keys,
    first_position: usize,
}

/// The keys that matter. `vocab_size` does not: the weights say how many rows the table has.
#[derive(Deserialize)]
#[serde(default)]
struct Keys {
    model_type: Option<String>,
    hidden_act: String,
    hidden_size: NonZeroUsize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    layer_norm_eps: f32,
    pad_token_id: Option<i64>,
    position_embedding_type: Option<String>,
    is_decoder: bool,
}

impl Default for Keys {
    /// The defaults of BERT's, RoBERTa's, XLM-RoBERTa's and CamemBERT's classes, which differ only in the padding id, which
    /// BERT's positions do not depend on.
    fn default() -> Self {
        Self {
            model_type: None,
            hidden_act: "gelu".to_owned(),
            hidden_size: const { NonZeroUsize::new(768).unwrap() },
            intermediate_size: 3072,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            pad_token_id: Some(1),
            position_embedding_type: None,
            is_decoder: false,
        }
    }
}

impl Config {
    /// Reads the configuration of the checkpoint in `directory`; an error if its transformer cannot be exported.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let keys: Keys = read_json(&directory.join(CONFIG_FILE))?;
        keys.check()
            .and_then(|()| keys.first_position())
            .map(|first_position| Self {
                keys,
                first_position,
            })
            .map_err(|why| Error::Checkpoint {
                directory: directory.to_owned(),
                why: format!("{CONFIG_FILE} {why}"),
            })
    }

    /// The architecture of a transformer with as many rows of word embeddings as `vocabulary`.
    pub fn architecture(&self, vocabulary: usize) -> Architecture {
        Architecture {
            first_position: self.first_position,
            hidden: self.keys.hidden_size,
            intermediate: self.keys.intermediate_size,
            layers: self.keys.num_hidden_layers,
            attention_heads: self.keys.num_attention_heads,
            vocabulary,
            position_rows: self.keys.max_position_embeddings,
            epsilon: self.keys.layer_norm_eps,
            output_heads: OutputHeads::default(),
        }
    }

    /// Rows of the token type embeddings.
    pub fn token_types(&self) -> usize {
        self.keys.type_vocab_size
    }
}

impl Keys {
    /// The row of the position embeddings that a sequence begins with, or what about the model type is not supported.
    fn first_position(&self) -> Result<usize, String> {
        let model_type = self.model_type.as_deref().ok_or("has no model_type")?;
        match (model_type, self.pad_token_id) {
            ("bert", _) => Ok(0),
            ("roberta" | "xlm-roberta" | "camembert", Some(padding_id @ 0..)) => {
                Ok(padding_id as usize + 1)
            }
            ("roberta" | "xlm-roberta" | "camembert", _) => Err(
                "has no pad_token_id, which the positions of RoBERTa's family start from"
                    .to_owned(),
            ),
            (other, _) => Err(format!(
                "has model_type {other:?}; only bert, roberta, xlm-roberta and camembert are supported"
            )),
        }
    }

    /// What about the transformer is not supported.
    fn check(&self) -> Result<(), String> {
        if self.hidden_act != "gelu" {
            return Err(format!(
                "has hidden_act {:?}; only gelu is supported",
                self.hidden_act
            ));
        }
        match self.position_embedding_type.as_deref() {
            None | Some("absolute") => {}
            Some(other) => {
                return Err(format!(
                    "has position_embedding_type {other:?}; only absolute is supported"
                ));
            }
        }
        if self.is_decoder {
            return Err("has is_decoder; only encoders are supported".to_owned());
        }
        if self.num_hidden_layers == 0 || self.intermediate_size == 0 {
            return Err("has no layers, or layers of size 0".to_owned());
        }
        let heads = self.num_attention_heads;
        if heads == 0 || !self.hidden_size.get().is_multiple_of(heads) {
            return Err(format!(
                "has hidden_size {}, which is not a multiple of num_attention_heads {heads}",
                self.hidden_size
            ));
        }
        Ok(())
    }
}
