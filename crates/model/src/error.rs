//! Why a model cannot be loaded, or a text not embedded.
//!
//! Every error of loading names the file.

use std::path::{Path, PathBuf};

use crate::graph_check::GraphError;

/// An error of loading or running a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the model directory cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// Git LFS has not fetched a file.
    #[error(
        "{path} is not the file but a pointer of Git LFS to it: run `git lfs pull` in its repository, or download the file",
        path = path.display()
    )]
    GitLfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// A JSON file of the model directory is invalid, or lacks a field.
    #[error("{path} is not valid", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// A file is missing, or the files contradict each other or are not supported.
    #[error("{directory} is not a model directory: {why}", directory = directory.display())]
    NotAModel {
        /// The directory.
        directory: PathBuf,
        /// What is missing, contradictory or not supported.
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
    /// The tokenizer cannot be loaded.
    #[error("the tokenizer cannot be loaded")]
    LoadTokenizer(#[source] tokenizers::Error),
    /// A text cannot be tokenized.
    #[error("the text cannot be tokenized")]
    Tokenize(#[source] tokenizers::Error),
    /// A text, or a word of it, can be tokenized only as a whole and is too long for that.
    #[error("more than {limit} bytes of the text cannot be divided into words")]
    Undivided {
        /// Most bytes that are tokenized as a whole.
        limit: usize,
    },
    /// ONNX Runtime's shared library cannot be loaded.
    #[error("ONNX Runtime cannot be loaded from {path}", path = path.display())]
    Runtime {
        /// The library.
        path: PathBuf,
        /// The loader's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// ONNX Runtime cannot load the graph.
    #[error("ONNX Runtime cannot load {path}", path = path.display())]
    Session {
        /// The graph.
        path: PathBuf,
        /// ONNX Runtime's error.
        source: ort::Error,
    },
    /// ONNX Runtime failed to run the graph.
    #[error("ONNX Runtime cannot run the model")]
    Run(#[from] ort::Error),
    /// The tokenizer's or the graph's output contradicts the model's description.
    #[error("the model returned {what}")]
    Output {
        /// What it returned.
        what: String,
    },
}

impl Error {
    /// The error of reading `path`.
    pub(crate) fn reading(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Read {
            path: path.to_owned(),
            source,
        }
    }
}
