//! The measurements: what is sent to the server, and which times result.
//!
//! Owns the lengths of texts and the numbers of clients. No text is longer than the model accepts.

mod concurrent;
mod effort;
mod sequential;

pub use concurrent::{flood, throughput};
pub use effort::Effort;
pub use sequential::{batches, latency, warm_up};

/// Tokens of a typical query.
pub const QUERY_TOKENS: usize = 12;
/// Shortest and longest text of a load of typical queries.
pub const QUERY_LENGTHS: (usize, usize) = (QUERY_TOKENS, QUERY_TOKENS);
/// Shortest and longest text of a mixed load.
pub const MIXED_LENGTHS: (usize, usize) = (4, 256);
/// Texts and tokens of a batch of queries.
pub const BATCH_OF_QUERIES: (usize, usize) = (32, QUERY_TOKENS);

/// What a measurement covers.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// Longest text that the model accepts, in tokens; longer ones are not measured.
    pub max_tokens: usize,
    /// How many samples are taken, and for how long.
    pub effort: Effort,
}

/// Lengths of the texts whose latency is measured, in tokens.
const LATENCY_TOKENS: [usize; 5] = [4, QUERY_TOKENS, 32, 128, 512];
/// Numbers of clients.
const CLIENTS: [usize; 3] = [1, 8, 32];
/// Texts and tokens of the batches.
const BATCHES: [(usize, usize); 2] = [BATCH_OF_QUERIES, (32, 128)];
/// Different texts of a load.
const DISTINCT_TEXTS: usize = 256;
