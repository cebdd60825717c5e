//! Jobs: what RunPod's queue and its HTTP routes have in common, whatever brings the input.
//!
//! Owns the one table of jobs, of which looking up, cancelling, retrying and purging are methods, and what is told of a
//! job. Imports [`crate::openai`], [`crate::service`] and [`crate::config`]. Knows no transport but the one by which a job's end is told.
//! A job ends exactly once, and everything that is kept is bounded in time and in bytes.

mod gauge;
mod handle;
mod job;
mod order;
mod policy;
mod report;
mod retention;
mod run;
mod span;
mod status;
mod table;
mod webhook;

use serde_json::value::RawValue;

use crate::openai::Routed;
use crate::service::{Call, Error, Performed, Service};

pub use gauge::{Counted, Gauge};
pub use handle::{Counts, Jobs};
pub use order::Order;
pub use policy::{Policy, PolicyFields};
pub use report::{BareResult, Chunk, JobId, Receipt, Report, Stream};
pub use span::{LONGEST, Span};
pub use status::Status;
pub use webhook::Webhook;

/// Does what a job's input asks for: what it passes on from OpenAI's routes, else its action.
pub async fn perform(service: &Service, input: &RawValue, call: Call) -> Result<Performed, Error> {
    match Routed::find(input) {
        Some(request) => request.perform(service, call).await,
        None => service.perform(input, call).await,
    }
}
