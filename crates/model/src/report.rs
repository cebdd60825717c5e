//! `report.json`: the quality of a model in fp16 or int8, measured when it was exported.
//!
//! It is not a part of the model's identity, and a model directory without it is complete.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::description::ModelDirectory;
use crate::error::Error;
use crate::json::read_json;

/// File name of the report in a model directory.
pub const REPORT_FILE: &str = "report.json";

/// How close the vectors of a model are to those of the same checkpoint in fp32.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualityReport {
    /// Number of sentences that both models embedded.
    pub sentences: usize,
    /// Mean cosine between the two vectors of a sentence.
    pub mean_cosine: f64,
    /// Smallest cosine between the two vectors of a sentence.
    pub worst_cosine: f64,
    /// Mean share of a sentence's ten nearest neighbours that both models have in common.
    pub top_10_overlap: f64,
    /// Names of the matrices and tables that stay in fp32, because halves cannot hold them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_in_fp32: Vec<String>,
    /// Instruction set of the matrix multiplications.
    pub instruction_set: String,
    /// Time that the measurement took, in seconds, including the export in fp32.
    pub seconds: f64,
    /// How close the outputs of the heads are, if the model has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<HeadQuality>,
}

/// How close the outputs of the heads are to those in fp32.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadQuality {
    /// Of the sparse weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sparse: Option<SparseQuality>,
    /// Of the ColBERT vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colbert: Option<ColbertQuality>,
}

/// How close sparse weights are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SparseQuality {
    /// Mean share of a sentence's ten heaviest tokens that both models have in common.
    pub top_10_token_overlap: f64,
    /// Errors of the lexical scores of each sentence with the next.
    pub lexical_score: ScoreErrors,
}

/// How close ColBERT vectors are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColbertQuality {
    /// Errors of the ColBERT scores of each sentence with the next.
    pub colbert_score: ScoreErrors,
}

/// Absolute differences of scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoreErrors {
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub worst: f64,
}

impl QualityReport {
    /// The report of a model directory; `None` if it has none, an error if it is invalid.
    pub fn read(directory: &ModelDirectory) -> Result<Option<Self>, Error> {
        Self::read_from(&directory.path)
    }

    fn read_from(directory: &Path) -> Result<Option<Self>, Error> {
        let path = directory.join(REPORT_FILE);
        path.exists().then(|| read_json(&path)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_report_is_none_and_an_invalid_one_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(QualityReport::read_from(directory.path()).unwrap(), None);
        std::fs::write(directory.path().join(REPORT_FILE), "{}").unwrap();
        let error = QualityReport::read_from(directory.path()).unwrap_err();
        assert!(error.to_string().contains(REPORT_FILE), "{error}");
    }
}
