//! The input as users read about it; [`super::Request::parse`] is what accepts it.

use serde::Serialize;
use utoipa::ToSchema;

use super::Action;

/// How envelopes and errors call the input.
pub const INPUT: &str = "input";

/// What is asked for. A field that is `null` counts as absent, and fields that are not listed here are ignored.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(example = json!({"query": "What is machine learning?"}))]
pub struct Input {
    /// What to do; `embed_query` unless given.
    pub action: Option<Action>,
    /// For `embed_query`: one text. The answer has `embedding`.
    #[schema(example = "What is machine learning?")]
    pub query: Option<String>,
    /// For `embed_query`, instead of `query`: a list of texts. The answer has `embeddings`, in the same order.
    #[schema(min_items = 1)]
    pub queries: Option<Vec<String>>,
    /// For `embed_batch`: a list of texts. The answer has `embeddings`, in the same order.
    #[schema(min_items = 1)]
    pub texts: Option<Vec<String>>,
}
