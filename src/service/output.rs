//! What the actions answer.

use serde::Serialize;
use utoipa::ToSchema;

use model::Embedding;

/// What an action answers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Output {
    /// To one query.
    Embedding {
        /// The query's vector, of length 1.
        #[schema(example = json!([-0.033_2, 0.014_5, -0.051_8]))]
        embedding: Embedding,
    },
    /// To a list of queries or texts.
    Embeddings {
        /// One vector for each text, in the order of the texts.
        #[schema(example = json!([[-0.033_2, 0.014_5, -0.051_8], [0.008_1, -0.021_7, 0.046_3]]))]
        embeddings: Vec<Embedding>,
    },
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

impl Output {
    /// The answer to `health_check`.
    pub const HEALTHY: Self = Self::Health {
        status: "ok",
        endpoint: "query",
        runtime: "onnx-cpu",
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_have_exactly_their_shapes() {
        let json = |output: &Output| serde_json::to_string(output).unwrap();
        assert_eq!(
            json(&Output::Embedding {
                embedding: vec![0.1, -0.25]
            }),
            r#"{"embedding":[0.1,-0.25]}"#
        );
        assert_eq!(
            json(&Output::Embeddings {
                embeddings: vec![vec![0.1], vec![1.0]]
            }),
            r#"{"embeddings":[[0.1],[1.0]]}"#
        );
        assert_eq!(
            json(&Output::HEALTHY),
            r#"{"status":"ok","endpoint":"query","runtime":"onnx-cpu"}"#
        );
    }
}
