//! The measurements: what is sent to the server, and which times result.
//!
//! No text is longer than the model accepts, and none is sent twice, except where this is what is measured. Lists are the
//! exception: a server keeps nothing of them.

mod concurrent;
mod effort;
mod sequential;

pub use concurrent::{flood, throughput};
pub use effort::Effort;
pub use sequential::{batches, latency, repeated_query, warm_up};

/// What a measurement covers.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// Longest text that the model accepts, in tokens; longer ones are not measured.
    pub max_tokens: usize,
    /// How many samples are taken, and for how long.
    pub effort: Effort,
}
