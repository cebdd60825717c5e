//! Settings of the engine: its queue, its batches, its cache and its threads.
//!
//! Invariant: no limit is 0, but that of the cache may be.

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::non_zero;

/// Admission, batching, the cache of queries and threads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Engine {
    /// Largest number of texts that wait for the model at the same time; more are rejected as `overloaded`.
    pub queue_texts: NonZeroUsize,
    /// Largest batch, in tokens that the model computes: those of its texts, or for a graph that pads, texts x the longest.
    /// A longer text is a batch of its own.
    pub batch_tokens: NonZeroUsize,
    /// Largest memory for the outputs of queries that were asked before, in bytes; 0 keeps none.
    pub cache_bytes: usize,
    /// Threads of the model; absent: the container's CPU quota.
    pub threads: Option<NonZeroUsize>,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            queue_texts: non_zero(1024),
            batch_tokens: non_zero(384),
            cache_bytes: 64_000_000,
            threads: None,
        }
    }
}
