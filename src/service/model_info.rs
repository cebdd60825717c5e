//! What users may know about the model.

use serde::Serialize;
use utoipa::ToSchema;

/// The model that is served.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelInfo {
    /// Its name.
    #[schema(example = "bge-m3")]
    pub name: String,
    /// Revision of the checkpoint it was made from.
    #[schema(example = "5617a9f61b028005a4858fdac845db406aefb181")]
    pub revision: Option<String>,
    /// Precision of its matrices.
    #[schema(example = "fp32")]
    pub precision: String,
    /// Floats of a vector.
    #[schema(example = 1024)]
    pub dimensions: usize,
    /// Tokens of the longest text; what lies beyond is cut off.
    #[schema(example = 8192)]
    pub max_tokens: usize,
    /// How close its vectors are to the reference, as measured where it was made.
    #[schema(value_type = Option<Object>)]
    pub quality: Option<serde_json::Value>,
}
