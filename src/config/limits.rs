//! Settings of the limits of one call.
//!
//! Invariant: no limit is 0.

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::non_zero;

/// Limits of one call. Jobs of RunPod's queue have lower ones, in [`QueueSettings`](super::QueueSettings).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Texts in one call.
    pub texts_per_call: NonZeroUsize,
    /// Largest result, in bytes of JSON.
    pub result_bytes: NonZeroUsize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // As many as OpenAI's API takes.
            texts_per_call: non_zero(2048),
            // Their vectors of 1024 floats as JSON.
            result_bytes: non_zero(30_000_000),
        }
    }
}
