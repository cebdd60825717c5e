//! What others need for the same texts, as `benches/alternatives.py` measured it.

use std::path::Path;

use serde::Deserialize;

use super::{Batch, Latency, Throughput};
use crate::Error;

/// ONNX Runtime on the graph that `torch.onnx.export` writes; session only.
pub const ONNX_RUNTIME: &str = "onnxruntime-torch-export";
/// sentence-transformers on PyTorch.
pub const PYTORCH: &str = "sentence-transformers-pytorch";

/// Measurements of alternatives on the same machine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Baseline {
    alternatives: Vec<Alternative>,
}

/// What one alternative needs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Alternative {
    /// What it is.
    pub name: String,
    /// One text at a time, by its length.
    pub latency: Vec<Latency>,
    /// Texts in a row.
    pub throughput: Vec<Throughput>,
    /// Many texts at once.
    pub batches: Vec<Batch>,
}

impl Baseline {
    /// Reads a document that `benches/alternatives.py` wrote.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::ReadBaseline {
            path: path.to_owned(),
            source,
        })?;
        serde_json::from_slice(&bytes).map_err(|source| Error::Baseline {
            path: path.to_owned(),
            source,
        })
    }

    /// The alternative of that name.
    pub fn alternative(&self, name: &str) -> Option<&Alternative> {
        self.alternatives
            .iter()
            .find(|alternative| alternative.name == name)
    }
}
