//! HTTP: RunPod's and OpenAI's routes, the probes, the documentation, and how an error looks on the wire.
//!
//! Owns every path, status and header, and the table behind `/status`. Imports [`crate::jobs`], [`crate::service`],
//! [`crate::metrics`] and [`crate::config`], and does not know how batches are formed. Every answer that is not a success
//! has one body, `{"code", "message"}` (under OpenAI's addresses OpenAI's own), whichever part refused the request; and
//! the OpenAPI document is generated from the same registrations that route the requests.

mod access;
mod body;
mod cors;
mod docs;
mod error_responses;
mod fallback;
mod health_check_path;
mod jobs;
mod listener;
mod openai;
mod openapi;
mod probes;
mod routes;
mod server;
mod trace;
mod upgrade;

pub use cors::{AllowedOrigins, InvalidOrigin};
pub use error_responses::{ErrorBody, status};
pub use health_check_path::{HealthCheckPath, InvalidHealthCheckPath};
#[cfg(any(test, fuzzing))]
pub(crate) use jobs::Envelope;
pub use jobs::Jobs;
pub use openapi::openapi;
pub use server::{Listening, listen};
