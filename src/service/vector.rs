//! How vectors and matrices are written in an answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;

use super::EncodingFormat;
use model::{ColbertEmbedding, Embedding};

/// A vector in the requested format.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Vector {
    /// A list of numbers.
    #[schema(example = json!([-0.033_2, 0.014_5, -0.051_8]))]
    Float(Vec<f32>),
    /// The four bytes of each float, little endian, as base64.
    Base64(String),
}

/// A vector for each token, in the requested format.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Matrix {
    /// A list of vectors.
    #[schema(example = json!([[-0.033_2, 0.014_5], [0.008_1, -0.021_7]]))]
    Float(Vec<Vec<f32>>),
    /// The rows one after the other.
    Base64 {
        /// Number of rows.
        rows: usize,
        /// The four bytes of each float, little endian, as base64.
        data: String,
    },
}

impl Vector {
    /// A vector in a format.
    pub fn new(embedding: Embedding, format: EncodingFormat) -> Self {
        match format {
            EncodingFormat::Float => Self::Float(embedding),
            EncodingFormat::Base64 => Self::Base64(base64(embedding)),
        }
    }
}

impl Matrix {
    /// ColBERT vectors in a format.
    pub fn new(embedding: ColbertEmbedding, format: EncodingFormat) -> Self {
        let rows = embedding.nrows();
        match format {
            EncodingFormat::Float => Self::Float(
                embedding
                    .rows()
                    .into_iter()
                    .map(|row| row.to_vec())
                    .collect(),
            ),
            EncodingFormat::Base64 => Self::Base64 {
                rows,
                data: base64(embedding),
            },
        }
    }
}

fn base64(floats: impl IntoIterator<Item = f32>) -> String {
    let bytes: Vec<u8> = floats.into_iter().flat_map(f32::to_le_bytes).collect();
    STANDARD.encode(bytes)
}
