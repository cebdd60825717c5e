//! What users may know about the model.

use serde::Serialize;
use utoipa::ToSchema;

use super::Invalid;
use model::{HeadQuality, Outputs, QualityReport};

/// The model that is served.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelInfo {
    /// Its name.
    #[schema(example = "bge-m3")]
    pub name: String,
    /// Repository of the checkpoint it was made from, where that is known.
    #[schema(example = "BAAI/bge-m3")]
    pub repository: Option<String>,
    /// Other names under which requests may ask for it.
    #[serde(skip)]
    pub aliases: Vec<String>,
    /// Revision of the checkpoint it was made from.
    #[schema(example = "5617a9f61b028005a4858fdac845db406aefb181")]
    pub revision: Option<String>,
    /// Precision of its matrices.
    #[schema(example = "fp16")]
    pub precision: String,
    /// Floats of a vector.
    #[schema(example = 1024)]
    pub dimensions: usize,
    /// What it turns a text into.
    #[schema(value_type = Vec<String>, example = json!(["dense", "sparse", "colbert"]))]
    pub outputs: Outputs,
    /// Floats of a ColBERT vector, if it gives them.
    #[schema(example = 1024)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colbert_dimensions: Option<usize>,
    /// Largest number of tokens of a text; longer texts are truncated.
    #[schema(example = 8192)]
    pub max_tokens: usize,
    /// How close its vectors are to those in fp32, where that was measured.
    pub quality: Option<Quality>,
}

impl ModelInfo {
    /// The name by which others know it: its repository's, else its own.
    pub fn public_name(&self) -> &str {
        self.repository.as_deref().unwrap_or(&self.name)
    }

    /// An error if it does not give all of `outputs`.
    pub(super) fn check_outputs(&self, outputs: Outputs) -> Result<(), Invalid> {
        match outputs.missing_from(self.outputs) {
            None => Ok(()),
            Some(output) => Err(Invalid::MissingOutput {
                output,
                served: self.outputs.names(),
            }),
        }
    }

    /// Whether `name` means this model: its own name, its repository's, that without the owner, or an alias.
    pub fn is_called(&self, name: &str) -> bool {
        let short = self.public_name().rsplit('/').next();
        name == self.name
            || name == self.public_name()
            || Some(name) == short
            || self.aliases.iter().any(|alias| alias == name)
    }
}

/// How close the vectors of a model in fp16 or int8 are to those of its fp32 original, as measured at export.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Quality {
    /// Sentences that were embedded by both.
    #[schema(example = 800)]
    pub sentences: usize,
    /// Mean cosine between the two vectors of a sentence.
    #[schema(example = 0.9999999)]
    pub mean_cosine: f64,
    /// Smallest cosine between the two vectors of a sentence.
    #[schema(example = 0.9999998)]
    pub worst_cosine: f64,
    /// Mean overlap of a sentence's ten nearest neighbours between the two models.
    #[schema(example = 0.999)]
    pub top_10_overlap: f64,
    /// Matrices and tables of a model in fp16 that stay in fp32, because halves cannot hold their values.
    #[schema(example = json!([]))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept_in_fp32: Vec<String>,
    /// Instruction set with which the processor multiplied matrices.
    #[schema(example = "AVX-512")]
    pub instruction_set: String,
    /// Time the measurement took, in seconds.
    #[schema(example = 31.5)]
    pub seconds: f64,
    /// How close sparse weights and ColBERT vectors are: the overlap of a sentence's ten heaviest tokens, and the errors of the
    /// scores of neighbouring sentences.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heads: Option<HeadQuality>,
}

impl From<QualityReport> for Quality {
    fn from(report: QualityReport) -> Self {
        Self {
            sentences: report.sentences,
            mean_cosine: report.mean_cosine,
            worst_cosine: report.worst_cosine,
            top_10_overlap: report.top_10_overlap,
            kept_in_fp32: report.kept_in_fp32,
            instruction_set: report.instruction_set,
            seconds: report.seconds,
            heads: report.heads,
        }
    }
}
