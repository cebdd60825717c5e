//! A model directory: its files, and their description in `model.json`.
//!
//! The description is the model's identity. It holds nothing measured, so the same checkpoint always gives the same bytes.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checkpoint_files::have_weights;
use crate::error::Error;
use crate::foreign;
use crate::graph::{OutputHeads, WeightPrecision};
use crate::json::read_json;
use crate::outputs::{Output, Outputs};
use crate::precision::Precision;
use crate::sentence_transformers::Pooling;
use crate::tokenizer::Tokenizer;

/// File name of the description in a model directory.
pub const DESCRIPTION_FILE: &str = "model.json";
/// File name of the graph in a model directory.
pub const GRAPH_FILE: &str = "model.onnx";
/// File name of the tokenizer in a model directory and in a checkpoint.
pub const TOKENIZER_FILE: &str = "tokenizer.json";

/// Where other exporters put the graph.
const FOREIGN_GRAPH_FILE: &str = "onnx/model.onnx";

/// A model's identity and properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Name by which it is served.
    pub name: String,
    /// Revision of the checkpoint that it was exported from.
    pub revision: Option<String>,
    /// Floats in a vector.
    pub dimensions: NonZeroUsize,
    /// Longer token sequences are truncated, special tokens included.
    pub max_tokens: NonZeroUsize,
    /// How token vectors are pooled.
    pub pooling: Pooling,
    /// What precedes every text. It counts against `max_tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Precision of the weights.
    pub precision: Precision,
    /// In fp16, the graph's names of the matrices and tables that stay in fp32, because halves cannot hold them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_in_fp32: Vec<String>,
    /// SHA-256 of the checkpoint's weights, in hexadecimal: of `model.safetensors`, or of its shards one after the other, in
    /// the order of their names.
    pub source_sha256: Option<String>,
    /// What it gives beside dense vectors, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<Heads>,
}

/// The heads of a model, and what their outputs depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heads {
    /// Which there are.
    #[serde(flatten)]
    pub outputs: OutputHeads,
    /// Ids of the special tokens that have no sparse weight.
    pub tokens_without_weight: Vec<u32>,
}

impl Description {
    /// The heads of the model.
    pub(crate) fn output_heads(&self) -> OutputHeads {
        let heads = self.heads.as_ref();
        heads.map(|heads| heads.outputs).unwrap_or_default()
    }

    /// The precision of each matrix.
    pub(crate) fn weight_precision(&self) -> WeightPrecision<'_> {
        WeightPrecision {
            precision: self.precision,
            kept_in_fp32: &self.kept_in_fp32,
        }
    }

    /// Floats of its ColBERT vectors, if it gives them.
    pub fn colbert_dimensions(&self) -> Option<NonZeroUsize> {
        self.output_heads().colbert
    }

    /// What the model gives.
    pub fn outputs(&self) -> Outputs {
        let OutputHeads { sparse, colbert } = self.output_heads();
        let has = |output: &Output| match output {
            Output::Dense => true,
            Output::Sparse => sparse,
            Output::Colbert => colbert.is_some(),
        };
        Output::ALL.into_iter().filter(has).collect()
    }
}

/// The files of a model directory, all of which exist, and its description.
#[derive(Debug, Clone)]
pub struct ModelDirectory {
    /// The directory.
    pub path: PathBuf,
    /// The ONNX graph.
    pub graph: PathBuf,
    /// The tokenizer.
    pub tokenizer: PathBuf,
    /// The description.
    pub description: Description,
}

impl ModelDirectory {
    /// Finds the files of a model directory and reads its description.
    ///
    /// A directory without `model.json`, from another exporter, is described by the files of SentenceTransformers. An
    /// error if a file is missing or invalid.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_pooled(path, None)
    }

    /// Like [`ModelDirectory::open`], for a directory whose files may not say how token vectors are pooled. An error if
    /// they do and `pooling` is another.
    pub fn open_pooled(path: &Path, pooling: Option<Pooling>) -> Result<Self, Error> {
        let graph = [GRAPH_FILE, FOREIGN_GRAPH_FILE]
            .iter()
            .map(|file| path.join(file))
            .find(|file| file.is_file())
            .ok_or_else(|| no_graph(path))?;
        let description = path.join(DESCRIPTION_FILE);
        let description = if description.exists() {
            let description: Description = read_json(&description)?;
            if let Some(asked) = pooling {
                description.pooling.check_asked(asked, path)?;
            }
            description
        } else {
            foreign::describe(path, pooling)?
        };
        Ok(Self {
            graph,
            tokenizer: Some(path.join(TOKENIZER_FILE))
                .filter(|file| file.is_file())
                .ok_or_else(|| missing(path, TOKENIZER_FILE))?,
            path: path.to_owned(),
            description,
        })
    }

    /// Loads the tokenizer, which puts the model's prompt before every text and truncates what is too long.
    pub fn load_tokenizer(&self) -> Result<Tokenizer, Error> {
        let Description {
            max_tokens, prompt, ..
        } = &self.description;
        let tokenizer = Tokenizer::load(&self.tokenizer, *max_tokens)?;
        Ok(tokenizer.with_prompt(prompt.clone().unwrap_or_default()))
    }
}

fn missing(directory: &Path, file: &str) -> Error {
    Error::NotAModel {
        directory: directory.to_owned(),
        why: format!("it has no {file}"),
    }
}

fn no_graph(directory: &Path) -> Error {
    if !have_weights(directory) {
        return missing(directory, GRAPH_FILE);
    }
    missing(
        directory,
        &format!(
            "{GRAPH_FILE}; it is a checkpoint, which `runpod-query export {} TARGET` turns into one",
            directory.display()
        ),
    )
}
