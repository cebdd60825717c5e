//! OpenAI's interface to the same vectors: its requests, answers and errors, over HTTP and inside RunPod's jobs.
//!
//! Owns OpenAI's names and shapes. Imports [`crate::service`] and [`crate::engine`]. A text gives the same vector, and is
//! held to the same limits, as in any other request.

mod answer;
mod embeddings;
mod error;
mod job;
mod models;
mod request;

pub use answer::{Embeddings, ModelList};
pub use embeddings::embeddings;
pub use error::{ErrorBody, JobError};
pub use job::Routed;
pub use models::models;
pub use request::{BODY, EmbeddingsRequest};
