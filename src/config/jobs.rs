//! Settings of jobs over HTTP: how long they are kept, and their webhooks.
//!
//! Invariant: no limit and no time is 0.

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::non_zero;

/// Retention of jobs, and webhooks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// Bytes of inputs and results that are kept. The oldest results are removed first, then jobs are rejected.
    pub memory_bytes: NonZeroUsize,
    /// How long the result of a job of `/run` is kept, in seconds.
    pub result_seconds: NonZeroUsize,
    /// How long the result of a job of `/runsync` is kept, in seconds.
    pub sync_result_seconds: NonZeroUsize,
    /// Pause before a failed webhook is retried, in seconds.
    pub webhook_pause_seconds: NonZeroUsize,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            memory_bytes: non_zero(50_000_000),
            result_seconds: non_zero(30 * 60),
            sync_result_seconds: non_zero(60),
            webhook_pause_seconds: non_zero(10),
        }
    }
}
