//! Jobs: what RunPod's queue and its HTTP routes have in common, whatever brings the input.
//!
//! Imports [`crate::service`]. Knows no transport.

use serde_json::value::RawValue;

use crate::service::{Error, Performed, Service};

/// Does what a job's input asks for.
pub async fn perform(service: &Service, input: &RawValue) -> Result<Performed, Error> {
    service.perform(input).await
}
