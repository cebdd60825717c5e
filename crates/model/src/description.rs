//! A model directory: its files, and their description in `model.json`.
//!
//! The description is the model's identity. It holds nothing measured, so the same checkpoint always gives the same bytes.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checkpoint_files::have_weights;
use crate::error::Error;
use crate::json::read_json;
use crate::precision::Precision;
use crate::sentence_transformers::{Pooling, SentenceTransformer};

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
    /// Precision of the weights.
    pub precision: Precision,
    /// SHA-256 of the checkpoint's weights, in hexadecimal: of `model.safetensors`, or of its shards one after the other, in
    /// the order of their names.
    pub source_sha256: Option<String>,
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

#[derive(Deserialize)]
struct TransformerConfig {
    hidden_size: NonZeroUsize,
    max_position_embeddings: NonZeroUsize,
}

impl ModelDirectory {
    /// Finds the files of a model directory and reads its description.
    ///
    /// A directory without `model.json`, from another exporter, is described by the files of SentenceTransformers. An
    /// error if a file is missing or invalid.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let graph = [GRAPH_FILE, FOREIGN_GRAPH_FILE]
            .iter()
            .map(|file| path.join(file))
            .find(|file| file.is_file())
            .ok_or_else(|| no_graph(path))?;
        let description = path.join(DESCRIPTION_FILE);
        let description = if description.exists() {
            read_json(&description)?
        } else {
            describe_foreign(path)?
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

fn describe_foreign(path: &Path) -> Result<Description, Error> {
    if !path.join("modules.json").is_file() {
        return Err(missing(
            path,
            "model.json and no modules.json of SentenceTransformers",
        ));
    }
    let sentence_transformer = SentenceTransformer::read(path)?;
    let transformer: TransformerConfig = read_json(&path.join("config.json"))?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(Description {
        name: name.to_string_lossy().into_owned(),
        revision: None,
        dimensions: transformer.hidden_size,
        max_tokens: sentence_transformer
            .max_tokens
            .unwrap_or(transformer.max_position_embeddings),
        pooling: sentence_transformer.pooling,
        precision: Precision::Fp32,
        source_sha256: None,
    })
}
