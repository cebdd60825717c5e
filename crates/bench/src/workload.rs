//! The texts that are sent: their lengths, their numbers, and the numbers of clients that send them.
//!
//! Alternatives are measured with the same workload, by `benches/compare.py`.

/// Tokens of a typical query.
pub const QUERY_TOKENS: usize = 12;
/// Shortest and longest text of a load of typical queries.
pub const QUERY_LENGTHS: (usize, usize) = (QUERY_TOKENS, QUERY_TOKENS);
/// Shortest and longest text of a mixed load.
pub const MIXED_LENGTHS: (usize, usize) = (4, 256);
/// Texts and tokens of a batch of queries.
pub const BATCH_OF_QUERIES: (usize, usize) = (32, QUERY_TOKENS);
/// Lengths of the texts whose latency is measured, in tokens.
pub const LATENCY_TOKENS: [usize; 5] = [4, QUERY_TOKENS, 32, 128, 512];
/// Numbers of clients.
pub const CLIENTS: [usize; 3] = [1, 8, 32];
/// Texts and tokens of the batches.
pub const BATCHES: [(usize, usize); 2] = [BATCH_OF_QUERIES, (32, 128)];
