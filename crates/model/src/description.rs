//! `model.json`: what a model directory says of itself.
//!
//! It is the model's identity and holds nothing measured, so the same checkpoint always gives the same bytes.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use super::sentence_transformers::{Pooling, SentenceTransformer, read_json};
use crate::Precision;

/// File name of the description in a model directory.
pub const DESCRIPTION_FILE: &str = "model.json";
/// File name of the graph in a model directory.
pub const GRAPH_FILE: &str = "model.onnx";
/// File name of the tokenizer in a model directory and in a checkpoint.
pub const TOKENIZER_FILE: &str = "tokenizer.json";

/// Where exporters of other projects put the graph.
const FOREIGN_GRAPH_FILE: &str = "onnx/model.onnx";

/// What a model is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Name by which it is served.
    pub name: String,
    /// Revision of the checkpoint it was made from.
    pub revision: Option<String>,
    /// Floats in a vector.
    pub dimensions: NonZeroUsize,
    /// Where texts are cut, in tokens, special tokens included.
    pub max_tokens: NonZeroUsize,
    /// How token vectors become one vector.
    pub pooling: Pooling,
    /// Precision of the matrices.
    pub precision: Precision,
    /// SHA-256 of the checkpoint's `model.safetensors`, in hexadecimal.
    pub source_sha256: Option<String>,
}

/// A model directory's files and description.
#[derive(Debug, Clone)]
pub struct ModelDirectory {
    /// The directory.
    pub path: PathBuf,
    /// The ONNX graph.
    pub graph: PathBuf,
    /// The tokenizer.
    pub tokenizer: PathBuf,
    /// What the model is.
    pub description: Description,
}

#[derive(Deserialize)]
struct TransformerConfig {
    hidden_size: NonZeroUsize,
    max_position_embeddings: NonZeroUsize,
}

impl ModelDirectory {
    /// Finds and reads the files of a model directory.
    ///
    /// A directory without `model.json`, from another exporter, is described by SentenceTransformers' own files.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let description = path.join(DESCRIPTION_FILE);
        let description = if description.exists() {
            read_json(&description)?
        } else {
            describe_foreign(path)?
        };
        let graph = [GRAPH_FILE, FOREIGN_GRAPH_FILE]
            .iter()
            .map(|file| path.join(file))
            .find(|file| file.is_file());
        Ok(Self {
            graph: graph.ok_or_else(|| missing(path, GRAPH_FILE))?,
            tokenizer: Some(path.join(TOKENIZER_FILE))
                .filter(|file| file.is_file())
                .ok_or_else(|| missing(path, TOKENIZER_FILE))?,
            path: path.to_owned(),
            description,
        })
    }
}

fn missing(directory: &Path, file: &str) -> Error {
    Error::NotAModel {
        directory: directory.to_owned(),
        why: format!("it has no {file}"),
    }
}

fn describe_foreign(path: &Path) -> Result<Description, Error> {
    if !path.join("modules.json").is_file() {
        return Err(missing(
            path,
            "model.json, nor the modules.json of a SentenceTransformer",
        ));
    }
    let sentence = SentenceTransformer::read(path)?;
    let transformer: TransformerConfig = read_json(&path.join("config.json"))?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(Description {
        name: name.to_string_lossy().into_owned(),
        revision: None,
        dimensions: transformer.hidden_size,
        max_tokens: sentence
            .max_tokens
            .unwrap_or(transformer.max_position_embeddings),
        pooling: sentence.pooling,
        precision: Precision::Fp32,
        source_sha256: None,
    })
}
