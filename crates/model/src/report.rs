//! `report.json`: the quality of an int8 model, measured when it was exported.
//!
//! It is not a part of the model's identity, and a model directory without it is complete.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::description::ModelDirectory;
use crate::error::Error;
use crate::json::read_json;

/// File name of the report in a model directory.
pub const REPORT_FILE: &str = "report.json";

/// How close the vectors of an int8 model are to those of the same checkpoint in fp32.
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
    /// Instruction set of the int8 matrix multiplications.
    pub byte_products: String,
    /// Time that the measurement took, in seconds, including the export in fp32.
    pub seconds: f64,
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
