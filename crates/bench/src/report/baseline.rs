//! Measurements of alternatives for the same texts, as `benches/compare.py` writes them.
//!
//! Owns the reading of that document; fields that are not compared are ignored.

use std::path::Path;

use serde::Deserialize;

use super::document::{Batch, Latency, Throughput};
use crate::error::Error;

/// Measurements of alternatives on the same machine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Baseline {
    alternatives: Vec<Alternative>,
}

/// Measurements of one alternative.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Alternative {
    /// Its name.
    pub name: String,
    /// Latency of one text at a time.
    pub latency: Vec<Latency>,
    /// Throughput of one text after another.
    pub throughput: Vec<Throughput>,
    /// Batches of texts.
    pub batches: Vec<Batch>,
}

impl Baseline {
    /// Reads a document of `benches/compare.py`.
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

    /// All alternatives, in the document's order.
    pub fn alternatives(&self) -> &[Alternative] {
        &self.alternatives
    }
}
