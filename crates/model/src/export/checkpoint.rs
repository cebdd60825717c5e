//! A Hugging Face checkpoint: its architecture, its token limit and its weights.
//!
//! A checkpoint that the exported graph cannot express is rejected when it is opened, by an error that names the file and
//! the value.

use std::num::NonZeroUsize;
use std::path::Path;

use super::config::Config;
use super::error::Error;
use super::heads::Heads;
use super::safetensors::Tensor;
use super::tokenizer_files;
use super::weight_files::WeightFiles;
use crate::checkpoint_files::{CONFIG_FILE, refuse_adapter};
use crate::description::TOKENIZER_FILE;
use crate::graph::{Architecture, COLBERT_HEAD, SPARSE_HEAD};
use crate::sentence_transformers::{Pooling, SentenceTransformer};

/// A tensor that every checkpoint has. Its name tells the prefix of all names.
pub const WORD_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";
/// How layer normalization's parameters end, and how they ended in checkpoints converted from TensorFlow.
const LAYER_NORM: [(&str, &str); 2] = [
    ("LayerNorm.weight", "LayerNorm.gamma"),
    ("LayerNorm.bias", "LayerNorm.beta"),
];

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
    pub weights: WeightFiles,
    /// Its heads.
    pub heads: Heads,
    prefix: String,
}

impl Checkpoint {
    /// Opens the checkpoint in `directory`. `pooling` is as in [`SentenceTransformer::read`].
    pub fn open(directory: &Path, pooling: Option<Pooling>) -> Result<Self, Error> {
        let unsupported = |why: String| Error::Checkpoint {
            directory: directory.to_owned(),
            why,
        };
        if let Some(why) = refuse_adapter(directory) {
            return Err(unsupported(why));
        }
        for file in [CONFIG_FILE, TOKENIZER_FILE] {
            if !directory.join(file).is_file() {
                return Err(unsupported(format!("it has no {file}")));
            }
        }
        let config = Config::read(directory)?;
        let sentence_transformer = SentenceTransformer::read(directory, pooling)?;
        let weights = WeightFiles::open(directory)?;
        let prefix = prefix(&weights)?;
        let mut architecture = config.architecture(vocabulary(&weights, &prefix)?);
        let positions = NonZeroUsize::new(architecture.token_limit())
            .ok_or_else(|| unsupported("it has no position embeddings".to_owned()))?;
        let max_tokens = sentence_transformer.max_tokens(positions);
        tokenizer_files::check(directory, max_tokens, architecture.vocabulary)?;
        let heads = Heads::open(directory, architecture.hidden)?;
        if heads.present.any() && sentence_transformer.pooling != Pooling::Cls {
            return Err(unsupported(format!(
                "it has {SPARSE_HEAD}.pt or {COLBERT_HEAD}.pt, which belong to CLS pooling, but pools the mean"
            )));
        }
        architecture.output_heads = heads.present;
        Ok(Self {
            architecture,
            sentence_transformer,
            max_tokens,
            token_types: config.token_types(),
            weights,
            heads,
            prefix,
        })
    }

    /// Reads a whole tensor of the checkpoint or of its heads.
    pub fn read(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        match self.heads.read(name, shape) {
            Some(values) => values,
            None => self.find(name, shape)?.read(),
        }
    }

    /// Finds a tensor by its name without the prefix of all names.
    pub fn find(&self, name: &str, shape: &[usize]) -> Result<Tensor<'_>, Error> {
        let name = format!("{}{name}", self.prefix);
        let old_name = LAYER_NORM.iter().find_map(|(new, old)| {
            let before = name.strip_suffix(new)?;
            Some(format!("{before}{old}"))
        });
        match old_name.filter(|_| !self.weights.has(&name)) {
            Some(old_name) if self.weights.has(&old_name) => self.weights.find(&old_name, shape),
            _ => self.weights.find(&name, shape),
        }
    }
}

/// What precedes the names of all tensors: usually nothing, sometimes `roberta.`.
fn prefix(weights: &WeightFiles) -> Result<String, Error> {
    let names = weights.names();
    let prefixes: Vec<&str> = names
        .filter_map(|name| name.strip_suffix(WORD_EMBEDDINGS))
        .collect();
    match prefixes[..] {
        [] => Ok(String::new()),
        [prefix] => Ok(prefix.to_owned()),
        _ => Err(weights.refuse(
            WORD_EMBEDDINGS,
            &format!(
                "is there {} times, so it is not clear which model is meant: with the prefixes {prefixes:?}",
                prefixes.len()
            ),
        )),
    }
}

/// The rows of the word embeddings. Training may have added some that no token needs.
fn vocabulary(weights: &WeightFiles, prefix: &str) -> Result<usize, Error> {
    let name = format!("{prefix}{WORD_EMBEDDINGS}");
    match weights.shape(&name)? {
        [rows, _] => Ok(*rows),
        shape => Err(weights.refuse(
            &name,
            &format!("has the shape {shape:?}; it must be a matrix"),
        )),
    }
}
