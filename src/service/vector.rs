//! How vectors and matrices are written in an answer.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use super::EncodingFormat;
use crate::engine::{WRITTEN_FORMS, WrittenVectors};
use model::{ColbertEmbedding, Embedding, Encoded};

/// A vector in the requested format.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Vector)]
pub enum VectorForm {
    /// A list of numbers.
    #[schema(example = json!([-0.033_2, 0.014_5, -0.051_8]))]
    Float(Vec<f32>),
    /// The four bytes of each float, little endian, as base64.
    Base64(String),
}

/// A vector for each token, in the requested format.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Matrix)]
pub enum MatrixForm {
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

/// A vector or a matrix in an answer: to be written, or written before.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Writable<Form> {
    /// To be written.
    Unwritten(Form),
    /// Its JSON.
    Written(Arc<RawValue>),
}

/// A vector in an answer.
pub type Vector = Writable<VectorForm>;
/// A vector for each token, in an answer.
pub type Matrix = Writable<MatrixForm>;

impl Vector {
    /// A vector in a format.
    pub fn new(embedding: Embedding, format: EncodingFormat) -> Self {
        Self::Unwritten(match format {
            EncodingFormat::Float => VectorForm::Float(embedding),
            EncodingFormat::Base64 => VectorForm::Base64(base64(&embedding)),
        })
    }
}

impl Matrix {
    /// ColBERT vectors in a format.
    pub fn new(embedding: &ColbertEmbedding, format: EncodingFormat) -> Self {
        let rows = embedding.rows().into_iter();
        Self::Unwritten(match format {
            EncodingFormat::Float => MatrixForm::Float(rows.map(|row| row.to_vec()).collect()),
            EncodingFormat::Base64 => MatrixForm::Base64 {
                rows: embedding.nrows(),
                data: base64(embedding),
            },
        })
    }
}

/// A text's vectors as JSON.
pub fn write(
    encoded: &Encoded,
    format: EncodingFormat,
) -> Result<WrittenVectors, serde_json::Error> {
    let dense = encoded.dense.as_ref().map(|vector| match format {
        EncodingFormat::Float => to_raw_value(vector),
        EncodingFormat::Base64 => to_raw_value(&base64(vector)),
    });
    let colbert = encoded.colbert.as_ref();
    let colbert = colbert.map(|rows| to_raw_value(&Matrix::new(rows, format)));
    Ok(WrittenVectors {
        dense: dense.transpose()?.map(Arc::from),
        colbert: colbert.transpose()?.map(Arc::from),
    })
}

// The engine has a place for each format.
const _: () = assert!(EncodingFormat::ALL.len() == WRITTEN_FORMS);

fn base64<'a>(floats: impl IntoIterator<Item = &'a f32>) -> String {
    let floats = floats.into_iter();
    let bytes: Vec<u8> = floats.flat_map(|float| float.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}
