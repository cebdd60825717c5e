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
use crate::json::read_json;
use crate::sentence_transformers::SentenceTransformer;

const CONFIG_FILE: &str = "config.json";
const WEIGHTS_FILE: &str = "model.safetensors";
const PICKLES: [&str; 2] = ["pytorch_model.bin", "model.pt"];
/// A tensor that every checkpoint has. Its name tells the prefix of all names.
const WORD_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";

/// How positions are counted. The two model families differ in nothing else here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// BERT: 0, 1, 2, ...
    FromZero,
    /// XLM-RoBERTa: padding id + 1, padding id + 2, ...
    AfterPadding {
        /// Id of the padding token.
        padding_id: i64,
    },
}

/// Sizes and constants of a transformer encoder; heads divide the hidden size, and there is at least one layer.
#[derive(Debug, Clone)]
pub struct Architecture {
    /// How positions are counted.
    pub positions: Positions,
    /// Floats per token.
    pub hidden: NonZeroUsize,
    /// Floats per token inside the feed-forward layers.
    pub intermediate: usize,
    /// Encoder layers.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Rows of the word embeddings.
    pub vocabulary: usize,
    /// Rows of the position embeddings.
    pub position_rows: usize,
    /// Rows of the token type embeddings.
    pub token_types: usize,
    /// Added to the variance in every layer normalization.
    pub epsilon: f32,
}

/// An open checkpoint that can be exported.
pub struct Checkpoint {
    /// Its architecture.
    pub architecture: Architecture,
    /// Its pooling, and its own token limit.
    pub sentence_transformer: SentenceTransformer,
    /// Longer token sequences are truncated, special tokens included.
    pub max_tokens: NonZeroUsize,
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
    /// Opens the checkpoint in `directory`.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let unsupported = |why: String| Error::Checkpoint {
            directory: directory.to_owned(),
            why,
        };
        for file in [CONFIG_FILE, TOKENIZER_FILE] {
            if !directory.join(file).is_file() {
                return Err(unsupported(format!("it has no {file}")));
            }
        }
        let architecture = Architecture::read(directory)?;
        let sentence_transformer = SentenceTransformer::read(directory)?;
        let limit = architecture.token_limit();
        let max_tokens = sentence_transformer
            .max_tokens
            .map_or(limit, NonZeroUsize::get);
        if max_tokens > limit {
            return Err(unsupported(format!(
                "sentence_bert_config.json allows {max_tokens} tokens, but there are positions for only {limit}"
            )));
        }
        let max_tokens = NonZeroUsize::new(max_tokens)
            .ok_or_else(|| unsupported("it has no position embeddings".to_owned()))?;
        let weights = open_weights(directory)?;
        let prefix = weights.prefix_of(WORD_EMBEDDINGS).unwrap_or_default();
        Ok(Self {
            architecture,
            sentence_transformer,
            max_tokens,
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

impl Architecture {
    fn read(directory: &Path) -> Result<Self, Error> {
        let config: Config = read_json(&directory.join(CONFIG_FILE))?;
        config.into_architecture().map_err(|why| Error::Checkpoint {
            directory: directory.to_owned(),
            why: format!("{CONFIG_FILE} {why}"),
        })
    }

    /// Longest token sequence that has enough positions.
    fn token_limit(&self) -> usize {
        match self.positions {
            Positions::FromZero => self.position_rows,
            Positions::AfterPadding { padding_id } => {
                self.position_rows.saturating_sub(padding_id as usize + 1)
            }
        }
    }
}

impl Config {
    /// The architecture, or what about it is not supported.
    fn into_architecture(self) -> Result<Architecture, String> {
        let positions = match (self.model_type.as_str(), self.pad_token_id) {
            ("bert", _) => Positions::FromZero,
            ("xlm-roberta", Some(padding_id @ 0..)) => Positions::AfterPadding { padding_id },
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
            positions,
            hidden: self.hidden_size,
            intermediate: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            vocabulary: self.vocab_size,
            position_rows: self.max_position_embeddings,
            token_types: self.type_vocab_size,
            epsilon: self.layer_norm_eps,
        })
    }
}
