//! HTTP: RunPod's and OpenAI's routes, the probes, the documentation, and how an error looks on the wire.
//!
//! Owns every path, status and header. Imports [`crate::jobs`], [`crate::openai`],
//! [`crate::service`], [`crate::metrics`] and [`crate::config`], and knows nothing of batches. Every answer that is no
//! success has one body, `{"code", "message"}` (under OpenAI's addresses OpenAI's own), whoever refused the request; and what the
//! OpenAPI document says comes from the same registrations that route the requests.

mod access;
mod cancel;
mod docs;
mod embeddings;
mod envelope;
mod error;
mod fallback;
mod health;
mod job_path;
mod metrics;
mod models;
mod openai_error;
mod openapi;
mod parameter;
mod ping;
mod purge_queue;
mod realtime;
mod retry;
mod routes;
mod run;
mod runsync;
mod server;
mod status;
mod stream;
mod trace;

pub use error::{ErrorBody, status};
pub use openapi::openapi;
pub use server::{Listening, listen};
