//! Settings of the engine: its queue, its batches and its threads.
//!
//! Invariant: no limit is 0.

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::non_zero;

/// Admission, batching and threads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Engine {
    /// Largest number of texts that wait for the model at the same time; more are rejected as `overloaded`.
    pub queue_texts: NonZeroUsize,
    /// Largest batch, in padded tokens (rows x longest row). A longer text is a batch of its own.
    pub batch_tokens: NonZeroUsize,
    /// Threads of the model; absent: the container's CPU quota.
    pub threads: Option<NonZeroUsize>,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            queue_texts: non_zero(1024),
            batch_tokens: non_zero(512),
            threads: None,
        }
    }
}
