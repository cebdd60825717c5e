//! A Hugging Face checkpoint: its architecture, its token limit and its weights.
//!
//! A checkpoint that the exported graph cannot express is rejected when it is opened, by an error that names the file and
//! the value.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::Deserialize;

use super::error::Error;
use super::safetensors::{SafetensorsFile, TensorLocation};
use crate::description::TOKENIZER_FILE;
use crate::graph::Architecture;
use crate::json::read_json;
use crate::sentence_transformers::{Pooling, SentenceTransformer};

const CONFIG_FILE: &str = "config.json";
const WEIGHTS_FILE: &str = "model.safetensors";
const PICKLES: [&str; 2] = ["pytorch_model.bin", "model.pt"];
/// A tensor that every checkpoint has. Its name tells the prefix of all names.
pub const WORD_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";

/// An open checkpoint that can be exported.
pub struct Checkpoint {
    /// Its architecture.
    pub architecture: Architecture,
    /// Its pooling, and its own token limit.
    pub sentence_transformer: SentenceTransformer,
    /// Longer token sequences are truncated, special tokens included.
    pub max_tokens: NonZeroUsize,
    /// Rows of the token type embeddings.
    pub token_types: usize,
    /// Its weights.
    pub weights: SafetensorsFile,
    prefix: String,
}

#[derive(Deserialize)]
struct Config {
    model_type: String,
    hidden_act: String,
    hidden_size: NonZeroUsize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    layer_norm_eps: f32,
    pad_token_id: Option<i64>,
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
}

impl Checkpoint {
    /// Opens the checkpoint in `directory`. `pooling` is as in [`SentenceTransformer::read`].
    pub fn open(directory: &Path, pooling: Option<Pooling>) -> Result<Self, Error> {
        let unsupported = |why: String| Error::Checkpoint {
            directory: directory.to_owned(),
            why,
        };
        for file in [CONFIG_FILE, TOKENIZER_FILE] {
            if !directory.join(file).is_file() {
                return Err(unsupported(format!("it has no {file}")));
            }
        }
        let config: Config = read_json(&directory.join(CONFIG_FILE))?;
        let token_types = config.type_vocab_size;
        let architecture = config
            .into_architecture()
            .map_err(|why| unsupported(format!("{CONFIG_FILE} {why}")))?;
        let sentence_transformer = SentenceTransformer::read(directory, pooling)?;
        let positions = NonZeroUsize::new(architecture.token_limit())
            .ok_or_else(|| unsupported("it has no position embeddings".to_owned()))?;
        let max_tokens = sentence_transformer.max_tokens(positions);
        let weights = open_weights(directory)?;
        let prefix = weights.prefix_of(WORD_EMBEDDINGS).unwrap_or_default();
        Ok(Self {
            architecture,
            sentence_transformer,
            max_tokens,
            token_types,
            weights,
            prefix,
        })
    }

    /// Finds a tensor by its name without the prefix of all names.
    pub fn find(&self, name: &str, shape: &[usize]) -> Result<TensorLocation, Error> {
        self.weights.find(&format!("{}{name}", self.prefix), shape)
    }
}

fn open_weights(directory: &Path) -> Result<SafetensorsFile, Error> {
    let path = directory.join(WEIGHTS_FILE);
    if path.is_file() {
        return SafetensorsFile::open(&path);
    }
    let pickle = PICKLES.iter().find(|file| directory.join(file).is_file());
    Err(Error::Checkpoint {
        directory: directory.to_owned(),
        why: match pickle {
            Some(pickle) => {
                format!(
                    "its weights are a Python pickle ({pickle}); only {WEIGHTS_FILE} is supported"
                )
            }
            None => format!("it has no {WEIGHTS_FILE}"),
        },
    })
}

impl Config {
    /// The architecture, or what about it is not supported.
    fn into_architecture(self) -> Result<Architecture, String> {
        let first_position = match (self.model_type.as_str(), self.pad_token_id) {
            ("bert", _) => 0,
            ("xlm-roberta", Some(padding_id @ 0..)) => padding_id as usize + 1,
            ("xlm-roberta", _) => {
                return Err(
                    "has no pad_token_id, which XLM-RoBERTa's positions start from".to_owned(),
                );
            }
            (other, _) => {
                return Err(format!(
                    "has model_type {other:?}; only bert and xlm-roberta are supported"
                ));
            }
        };
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
        if self.num_attention_heads == 0
            || !self
                .hidden_size
                .get()
                .is_multiple_of(self.num_attention_heads)
        {
            return Err(format!(
                "has hidden_size {}, which is not a multiple of num_attention_heads {}",
                self.hidden_size, self.num_attention_heads
            ));
        }
        Ok(Architecture {
            first_position,
            hidden: self.hidden_size,
            intermediate: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            vocabulary: self.vocab_size,
            position_rows: self.max_position_embeddings,
            epsilon: self.layer_norm_eps,
        })
    }
}
