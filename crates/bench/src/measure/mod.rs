//! What is sent, how often, and what the answers' times come to.

mod batches;
mod effort;
mod flood;
mod latency;
mod sampling;
mod throughput;

pub use batches::batches;
pub use effort::Effort;
pub use flood::flood;
pub use latency::latency;
pub use sampling::warm_up;
pub use throughput::throughput;

/// Tokens of the query that stands for a user's question.
pub const QUERY_TOKENS: usize = 12;
/// Shortest and longest text of a load of such queries.
pub const QUERY_LENGTHS: (usize, usize) = (QUERY_TOKENS, QUERY_TOKENS);
/// Shortest and longest text of a mixed load.
pub const MIXED_LENGTHS: (usize, usize) = (4, 256);
/// Texts and tokens of a batch of queries.
pub const BATCH_OF_QUERIES: (usize, usize) = (32, QUERY_TOKENS);

/// What a measurement keeps to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest text that the model takes, in tokens; longer ones are not measured.
    pub max_tokens: usize,
    /// How long it may take.
    pub effort: Effort,
}

/// Lengths of the texts that are sent one at a time, in tokens.
const LATENCY_TOKENS: [usize; 5] = [4, QUERY_TOKENS, 32, 128, 512];
/// Numbers of clients.
const CLIENTS: [usize; 3] = [1, 8, 32];
/// Texts and tokens of the batches.
const BATCHES: [(usize, usize); 2] = [BATCH_OF_QUERIES, (32, 128)];
/// Texts that a load goes through again and again.
const DISTINCT_TEXTS: usize = 256;
