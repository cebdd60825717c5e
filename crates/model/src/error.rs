//! What can go wrong between a model directory and a vector.

use std::path::PathBuf;

use super::graph_check::GraphError;

/// Why a model cannot be loaded or a text cannot be embedded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the model directory cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A JSON file of the model directory does not say what it must.
    #[error("{path} is not a valid description", path = path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// Where it fails.
        source: serde_json::Error,
    },
    /// A model directory lacks a file, or its files contradict each other.
    #[error("{directory} is not a model directory: {why}", directory = directory.display())]
    NotAModel {
        /// The directory.
        directory: PathBuf,
        /// What is missing or contradictory.
        why: String,
    },
    /// A graph of our own is damaged or was changed after it was exported.
    #[error("{path} is not a graph that can be run", path = path.display())]
    Graph {
        /// The graph.
        path: PathBuf,
        /// What is wrong with it.
        source: GraphError,
    },
    /// The tokenizer cannot be built.
    #[error("the tokenizer cannot be loaded")]
    LoadTokenizer(#[source] tokenizers::Error),
    /// A text cannot be turned into tokens.
    #[error("the text cannot be tokenized")]
    Tokenize(#[source] tokenizers::Error),
    /// ONNX Runtime's shared library cannot be loaded.
    #[error("ONNX Runtime cannot be loaded from {path}", path = path.display())]
    Runtime {
        /// The library.
        path: PathBuf,
        /// What the loader says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// ONNX Runtime cannot build a session from the graph.
    #[error("ONNX Runtime cannot load {path}", path = path.display())]
    Session {
        /// The graph.
        path: PathBuf,
        /// What ONNX Runtime says.
        source: ort::Error,
    },
    /// ONNX Runtime failed while it ran the graph.
    #[error("ONNX Runtime cannot run the model")]
    Run(#[from] ort::Error),
    /// The graph's output is not what its description promises.
    #[error("the model gave {what}")]
    Output {
        /// What it gave.
        what: String,
    },
}
