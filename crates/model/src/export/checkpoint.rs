//! What a Hugging Face checkpoint is: its architecture, its limits and its weights.
//!
//! Owns the refusal of everything the graph cannot express, with the file and the value that say so.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::Deserialize;

use super::Error;
use super::safetensors::{TensorPlace, WeightsFile};
use crate::{SentenceTransformer, TOKENIZER_FILE};

const CONFIG_FILE: &str = "config.json";
const WEIGHTS_FILE: &str = "model.safetensors";
const PICKLES: [&str; 2] = ["pytorch_model.bin", "model.pt"];
/// A tensor that every checkpoint of both families has, whatever prefix its names carry.
const WORD_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";

/// How positions are counted, which is all that tells the two families apart here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// BERT: 0, 1, 2, ...
    FromZero,
    /// XLM-RoBERTa: tokens that are not padding count up from the padding id + 1; padding keeps the padding id.
    AfterPadding {
        /// Id of the padding token.
        padding_id: i64,
    },
}

/// Sizes and constants of a transformer encoder.
#[derive(Debug, Clone)]
pub struct Architecture {
    /// How positions are counted.
    pub positions: Positions,
    /// Floats per token.
    pub hidden: NonZeroUsize,
    /// Floats per token inside the feed-forward part.
    pub intermediate: usize,
    /// Encoder layers.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Rows of the word table.
    pub vocabulary: usize,
    /// Rows of the position table.
    pub position_rows: usize,
    /// Rows of the token type table.
    pub token_types: usize,
    /// Added to the variance in every normalisation.
    pub epsilon: f32,
}

/// An opened checkpoint that can be exported.
pub struct Checkpoint {
    /// Its architecture.
    pub architecture: Architecture,
    /// Pooling.
    pub sentence: SentenceTransformer,
    /// Where texts are cut, special tokens included.
    pub max_tokens: NonZeroUsize,
    /// Its weights.
    pub weights: WeightsFile,
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
        let refuse = |why: String| Error::Checkpoint {
            directory: directory.to_owned(),
            why,
        };
        for file in [CONFIG_FILE, TOKENIZER_FILE] {
            if !directory.join(file).is_file() {
                return Err(refuse(format!("it has no {file}")));
            }
        }
        let architecture = Architecture::read(directory)?;
        let sentence = SentenceTransformer::read(directory)?;
        let limit = architecture.token_limit();
        let max_tokens = sentence.max_tokens.map_or(limit, NonZeroUsize::get);
        if max_tokens > limit {
            return Err(refuse(format!(
                "sentence_bert_config.json allows {max_tokens} tokens, but the position table ends at {limit}"
            )));
        }
        let max_tokens = NonZeroUsize::new(max_tokens)
            .ok_or_else(|| refuse("its position table is empty".to_owned()))?;
        let weights = open_weights(directory)?;
        let prefix = weights.prefix_of(WORD_EMBEDDINGS).unwrap_or_default();
        Ok(Self {
            architecture,
            sentence,
            max_tokens,
            weights,
            prefix,
        })
    }

    /// Finds a tensor by the name it has without prefix.
    pub fn find(&self, name: &str, shape: &[usize]) -> Result<TensorPlace, Error> {
        self.weights.find(&format!("{}{name}", self.prefix), shape)
    }
}

fn open_weights(directory: &Path) -> Result<WeightsFile, Error> {
    let path = directory.join(WEIGHTS_FILE);
    if path.is_file() {
        return WeightsFile::open(&path);
    }
    let pickle = PICKLES.iter().find(|file| directory.join(file).is_file());
    Err(Error::Checkpoint {
        directory: directory.to_owned(),
        why: match pickle {
            Some(pickle) => {
                format!("its weights are a Python pickle ({pickle}); {WEIGHTS_FILE} is needed")
            }
            None => format!("it has no {WEIGHTS_FILE}"),
        },
    })
}

impl Architecture {
    fn read(directory: &Path) -> Result<Self, Error> {
        let config: Config = crate::read_json(&directory.join(CONFIG_FILE))?;
        config.check().map_err(|why| Error::Checkpoint {
            directory: directory.to_owned(),
            why: format!("{CONFIG_FILE} {why}"),
        })
    }

    /// Longest text the position table has room for, in tokens.
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
    fn check(self) -> Result<Architecture, String> {
        let positions = match (self.model_type.as_str(), self.pad_token_id) {
            ("bert", _) => Positions::FromZero,
            ("xlm-roberta", Some(padding_id @ 0..)) => Positions::AfterPadding { padding_id },
            ("xlm-roberta", _) => {
                return Err(
                    "has no pad_token_id, from which XLM-RoBERTa counts positions".to_owned(),
                );
            }
            (other, _) => {
                return Err(format!(
                    "says model_type {other:?}; bert and xlm-roberta are supported"
                ));
            }
        };
        if self.hidden_act != "gelu" {
            return Err(format!(
                "says hidden_act {:?}; gelu is supported",
                self.hidden_act
            ));
        }
        match self.position_embedding_type.as_deref() {
            None | Some("absolute") => {}
            Some(other) => {
                return Err(format!(
                    "says position_embedding_type {other:?}; absolute is supported"
                ));
            }
        }
        if self.is_decoder {
            return Err("says is_decoder; an encoder is needed".to_owned());
        }
        if self.num_hidden_layers == 0 || self.intermediate_size == 0 {
            return Err("describes a transformer without layers".to_owned());
        }
        if self.num_attention_heads == 0
            || !self
                .hidden_size
                .get()
                .is_multiple_of(self.num_attention_heads)
        {
            return Err(format!(
                "says hidden_size {} and num_attention_heads {}, which do not divide",
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
