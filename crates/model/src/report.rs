//! `report.json`: what was measured of a model where it was made.
//!
//! It stands beside the model and is no part of its identity, so a model directory is as good without it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::sentence_transformers::read_json;
use super::{Error, ModelDirectory};

/// File name of the report in a model directory.
pub const REPORT_FILE: &str = "report.json";

/// How close the vectors of a rounded model are to those of its fp32 original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualityReport {
    /// Sentences that were embedded by both.
    pub sentences: usize,
    /// Mean cosine between the two vectors of a sentence.
    pub mean_cosine: f64,
    /// Smallest cosine between the two vectors of a sentence.
    pub worst_cosine: f64,
    /// Mean share of a sentence's ten nearest other sentences that both models name.
    pub top_10_overlap: f64,
    /// Instructions by which the processor multiplied bytes.
    pub byte_products: String,
    /// Time the measurement took, in seconds, the making of the original included.
    pub seconds: f64,
}

impl QualityReport {
    /// The report of a model directory, where it has one.
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
    fn a_directory_without_a_report_has_none_and_a_damaged_one_is_an_error_that_names_it() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(QualityReport::read_from(directory.path()).unwrap(), None);
        std::fs::write(directory.path().join(REPORT_FILE), "{}").unwrap();
        let error = QualityReport::read_from(directory.path()).unwrap_err();
        assert!(error.to_string().contains(REPORT_FILE), "{error}");
    }
}
