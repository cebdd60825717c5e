//! The answers of OpenAI's routes.

use serde::Serialize;
use utoipa::ToSchema;

use crate::service::ModelInfo;
use crate::service::vector::{Vector, VectorForm};

/// The vectors of a request.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenAiEmbeddings)]
pub struct Embeddings {
    /// Always `list`.
    #[schema(example = "list")]
    object: &'static str,
    /// One vector for each text, in the order of the texts.
    data: Vec<Member>,
    /// The model that made them.
    #[schema(example = "BAAI/bge-m3")]
    model: String,
    /// Tokens used.
    usage: Usage,
}

/// One vector.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenAiEmbedding)]
struct Member {
    /// Always `embedding`.
    #[schema(example = "embedding")]
    object: &'static str,
    /// The text's position in the request, from 0.
    index: usize,
    /// The vector, of length 1.
    #[schema(value_type = VectorForm)]
    embedding: Vector,
}

/// Tokens that a request used.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenAiUsage)]
struct Usage {
    /// Tokens of all texts after truncation, special tokens included.
    #[schema(example = 8)]
    prompt_tokens: usize,
    /// The same.
    #[schema(example = 8)]
    total_tokens: usize,
}

impl Embeddings {
    /// The answer with the vectors of all texts, which have so many tokens together, by the model of this name.
    pub(in crate::service) fn new(
        model: String,
        vectors: impl Iterator<Item = Vector>,
        tokens: usize,
    ) -> Self {
        Self {
            object: "list",
            data: vectors
                .enumerate()
                .map(|(index, embedding)| Member {
                    object: "embedding",
                    index,
                    embedding,
                })
                .collect(),
            model,
            usage: Usage {
                prompt_tokens: tokens,
                total_tokens: tokens,
            },
        }
    }
}

/// The models that are served.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenAiModels)]
pub struct ModelList {
    /// Always `list`.
    #[schema(example = "list")]
    object: &'static str,
    /// The one model.
    data: [Model; 1],
}

/// A model.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenAiModel)]
pub struct Model {
    /// Its name, to be given as `model`.
    #[schema(example = "BAAI/bge-m3")]
    id: String,
    /// Always `model`.
    #[schema(example = "model")]
    object: &'static str,
    /// When it was loaded, in seconds since 1970.
    #[schema(example = 1_767_225_600)]
    created: u64,
    /// Who published it.
    #[schema(example = "BAAI")]
    owned_by: String,
}

impl ModelList {
    /// The list of one model.
    pub(in crate::service) fn new(model: Model) -> Self {
        Self {
            object: "list",
            data: [model],
        }
    }
}

impl Model {
    /// The model that was loaded at `created`.
    pub(in crate::service) fn new(model: &ModelInfo, created: u64) -> Self {
        let id = model.public_name();
        let owner = id.split_once('/').map_or("unknown", |(owner, _)| owner);
        Self {
            id: id.to_owned(),
            object: "model",
            created,
            owned_by: owner.to_owned(),
        }
    }
}
