//! Settings of the jobs that are kept.

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::non_zero;

/// What is kept of jobs, and how their end is told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// Bytes of inputs and results that are kept; the results that ended first make room, then jobs are refused.
    pub memory_bytes: NonZeroUsize,
    /// How long the result of a job of `/run` is kept, in seconds.
    pub result_seconds: NonZeroUsize,
    /// How long the result of a job of `/runsync` is kept, in seconds.
    pub sync_result_seconds: NonZeroUsize,
    /// Pause before a webhook that failed is tried again, in seconds.
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
