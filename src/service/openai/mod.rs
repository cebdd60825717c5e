//! OpenAI's form of requests, answers and errors, over HTTP and inside jobs.
//!
//! Owns OpenAI's names and shapes. A text gives the same vector, and is held to the same limits, as in any other request.

mod answer;
mod error_body;
mod request;

pub use answer::{Embeddings, Model, ModelList};
pub use error_body::{ErrorBody, JobError};
pub use request::{EmbeddingsBody, EmbeddingsRequest, ModelName, OpenAiRequest};
