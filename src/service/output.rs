//! What the actions answer.

use serde::Serialize;
use utoipa::ToSchema;

use super::EncodingFormat;
use super::vector::{Matrix, MatrixForm, Vector, VectorForm, Writable};
use crate::engine::{EncodedText, WrittenVectors};
use model::Encoded;

/// What an action answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Output {
    /// To one query.
    Query(QueryOutput),
    /// To a list of queries or texts.
    List(ListOutput),
    /// To `health_check`.
    Health {
        /// `ok`: the model answers.
        #[schema(example = "ok")]
        status: &'static str,
        /// What this endpoint serves.
        #[schema(example = "query")]
        endpoint: &'static str,
        /// What runs the model.
        #[schema(example = "onnx-cpu")]
        runtime: &'static str,
    },
}

/// The outputs of one query that were asked for.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryOutput {
    /// The dense vector, of length 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<VectorForm>)]
    embedding: Option<Vector>,
    /// The sparse weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    sparse_embedding: Option<SparseEmbedding>,
    /// A vector of length 1 for each token but the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MatrixForm>)]
    colbert_embedding: Option<Matrix>,
}

/// The outputs of a list that were asked for: each a list in the order of the texts.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOutput {
    /// The dense vectors, of length 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<VectorForm>>)]
    embeddings: Option<Vec<Vector>>,
    /// The sparse weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    sparse_embeddings: Option<Vec<SparseEmbedding>>,
    /// For each text a vector of length 1 for each token but the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<MatrixForm>>)]
    colbert_embeddings: Option<Vec<Matrix>>,
}

/// The weight of each token that a text contains.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SparseEmbedding {
    /// Token ids, ascending.
    #[schema(example = json!([83, 4865]))]
    indices: Vec<u32>,
    /// Their weights, above 0.
    #[schema(example = json!([0.081_4, 0.083_6]))]
    values: Vec<f32>,
}

impl Output {
    /// The answer to `health_check`.
    pub const HEALTHY: Self = Self::Health {
        status: "ok",
        endpoint: "query",
        runtime: "onnx-cpu",
    };
}

impl QueryOutput {
    /// The outputs of one text.
    pub fn new(encoded: Encoded, format: EncodingFormat) -> Self {
        Self {
            embedding: encoded.dense.map(|vector| Vector::new(vector, format)),
            sparse_embedding: encoded.sparse.map(Into::into),
            colbert_embedding: encoded.colbert.map(|rows| Matrix::new(&rows, format)),
        }
    }

    /// The outputs of a text whose vectors are written.
    pub(super) fn of_written(text: &EncodedText, written: &WrittenVectors) -> Self {
        Self {
            embedding: written.dense.clone().map(Writable::Written),
            sparse_embedding: text.encoded.sparse.clone().map(Into::into),
            colbert_embedding: written.colbert.clone().map(Writable::Written),
        }
    }
}

impl ListOutput {
    /// The outputs of texts that were all turned into the same.
    pub fn new(encoded: impl Iterator<Item = Encoded>, format: EncodingFormat) -> Self {
        let mut output = Self::default();
        for encoded in encoded {
            let one = QueryOutput::new(encoded, format);
            append(&mut output.embeddings, one.embedding);
            append(&mut output.sparse_embeddings, one.sparse_embedding);
            append(&mut output.colbert_embeddings, one.colbert_embedding);
        }
        output
    }
}

fn append<T>(list: &mut Option<Vec<T>>, member: Option<T>) {
    if let Some(member) = member {
        list.get_or_insert_default().push(member);
    }
}

impl From<model::SparseEmbedding> for SparseEmbedding {
    fn from(model::SparseEmbedding { indices, values }: model::SparseEmbedding) -> Self {
        Self { indices, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(output: &Output) -> String {
        serde_json::to_string(output).unwrap()
    }

    fn dense(vector: &[f32]) -> Encoded {
        Encoded {
            dense: Some(vector.to_vec()),
            ..Encoded::default()
        }
    }

    fn all() -> Encoded {
        Encoded {
            dense: Some(vec![0.5]),
            sparse: Some(model::SparseEmbedding {
                indices: vec![4, 9],
                values: vec![0.25, 1.5],
            }),
            colbert: Some(
                model::ColbertEmbedding::from_shape_vec((2, 1), vec![1.0, -1.0]).unwrap(),
            ),
        }
    }

    #[test]
    fn dense_answers_have_exactly_their_shapes() {
        let float = EncodingFormat::Float;
        let query = QueryOutput::new(dense(&[0.1, -0.25]), float);
        assert_eq!(json(&Output::Query(query)), r#"{"embedding":[0.1,-0.25]}"#);
        let list = ListOutput::new([dense(&[0.1]), dense(&[1.0])].into_iter(), float);
        assert_eq!(json(&Output::List(list)), r#"{"embeddings":[[0.1],[1.0]]}"#);
        assert_eq!(
            json(&Output::HEALTHY),
            r#"{"status":"ok","endpoint":"query","runtime":"onnx-cpu"}"#
        );
    }

    #[test]
    fn all_outputs_have_exactly_their_shapes() {
        let query = QueryOutput::new(all(), EncodingFormat::Float);
        assert_eq!(
            json(&Output::Query(query)),
            r#"{"embedding":[0.5],"sparse_embedding":{"indices":[4,9],"values":[0.25,1.5]},"colbert_embedding":[[1.0],[-1.0]]}"#
        );
        let list = ListOutput::new([all()].into_iter(), EncodingFormat::Base64);
        assert_eq!(
            json(&Output::List(list)),
            r#"{"embeddings":["AAAAPw=="],"sparse_embeddings":[{"indices":[4,9],"values":[0.25,1.5]}],"colbert_embeddings":[{"rows":2,"data":"AACAPwAAgL8="}]}"#
        );
    }
}
