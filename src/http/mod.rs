//! HTTP: RunPod's routes, the probes, the documentation, and how an error looks on the wire.
//!
//! Owns every path, status and header. Imports [`crate::jobs`], [`crate::service`] and [`crate::config`], and knows nothing of batches.
//! Every answer that is no success has one body, `{"code", "message"}`, whoever refused the request; and what the
//! OpenAPI document says comes from the same registrations that route the requests.

mod cancel;
mod docs;
mod envelope;
mod error;
mod fallback;
mod health;
mod job_path;
mod openapi;
mod parameter;
mod ping;
mod purge_queue;
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
