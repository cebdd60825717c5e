//! The measurements of one run as a JSON document, whose field names contain the units.
//!
//! Invariant: a field is not removed or renamed, and keeps its unit, unless [`FORMAT`] changes.

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// Version of the document's shape.
pub const FORMAT: u32 = 2;

/// Everything that one run measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Version of the document's shape.
    pub format: u32,
    /// Name and version of the program that measured.
    pub program: String,
    /// Whether fewer samples than usual were taken.
    pub quick: bool,
    /// URL of a server that was already running; `None` for one that was started to be measured.
    pub url: Option<String>,
    /// The model, if it is known.
    pub model: Option<Model>,
    /// The machine; `None` if the server runs on another one.
    pub machine: Option<Machine>,
    /// Whether numbers of tokens are exact, not estimated.
    pub token_counts_are_exact: bool,
    /// Time to read the weights of one pass from memory: a lower bound of one text's latency.
    pub floor_milliseconds: Option<f64>,
    /// One text at a time, by its length.
    pub latency: Vec<Latency>,
    /// Several clients at a time.
    pub throughput: Vec<Throughput>,
    /// One query that is asked again and again.
    pub repeated_query: Option<RepeatedQuery>,
    /// Many texts in one job.
    pub batches: Vec<Batch>,
    /// Starts of the server.
    pub cold_start: Option<ColdStart>,
    /// Memory of the server's process.
    pub memory: Option<Memory>,
    /// One text of the greatest length.
    pub long_text: Option<LongText>,
    /// Queries among long texts.
    pub flood: Option<Flood>,
    /// Servers with different numbers of threads; then nothing else is measured.
    pub threads: Vec<ThreadCount>,
    /// Measurements divided by others.
    pub ratios: Vec<Ratio>,
}

/// The model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Precision of its weights.
    pub precision: String,
    /// Floats in a vector.
    pub dimensions: usize,
    /// Bytes of its weights, without embedding tables.
    pub matrix_bytes: Option<u64>,
}

/// Latency of one text at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Tokens of the text, special ones included.
    pub tokens: usize,
    /// Successful requests.
    pub samples: usize,
    /// Failed requests.
    pub errors: usize,
    /// Median latency.
    pub p50_milliseconds: f64,
    /// 95th percentile of the latency.
    pub p95_milliseconds: f64,
    /// 99th percentile of the latency.
    pub p99_milliseconds: f64,
}

/// Throughput of several clients, each of which sends one text after another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Tokens of the shortest text.
    pub shortest_tokens: usize,
    /// Tokens of the longest text.
    pub longest_tokens: usize,
    /// Clients.
    pub clients: usize,
    /// Successful requests.
    pub samples: usize,
    /// Failed requests.
    pub errors: usize,
    /// Time from the first request to the last response.
    pub seconds: f64,
    /// Texts in successful requests.
    pub texts_per_second: f64,
    /// Tokens of these texts, without padding.
    pub tokens_per_second: f64,
    /// Median latency.
    pub p50_milliseconds: f64,
    /// 99th percentile of the latency.
    pub p99_milliseconds: f64,
}

/// Latency of one query that is asked again and again: of an answer from the server's cache, unless it is switched off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RepeatedQuery {
    /// Tokens of the query.
    pub tokens: usize,
    /// Successful requests.
    pub samples: usize,
    /// Failed requests, health checks included.
    pub errors: usize,
    /// Median latency.
    pub p50_milliseconds: f64,
    /// 99th percentile of the latency.
    pub p99_milliseconds: f64,
    /// Median latency of a health check, sent in turns with the query.
    pub health_check_p50_milliseconds: f64,
}

/// Latency of one job with many texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Texts in the job.
    pub texts: usize,
    /// Tokens of each text.
    pub tokens: usize,
    /// Successful requests.
    pub samples: usize,
    /// Failed requests.
    pub errors: usize,
    /// Median latency.
    pub p50_milliseconds: f64,
    /// Texts of the job, divided by the median latency.
    pub texts_per_second: f64,
}

/// Starts of the server, with its files in the page cache.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColdStart {
    /// Measured starts.
    pub samples: usize,
    /// Median time from the start of the process to the first vector over HTTP.
    pub p50_seconds: f64,
    /// The longest such time.
    pub slowest_seconds: f64,
}

/// Resident memory of the server, mapped files included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Memory {
    /// After the warm-up, without requests.
    pub idle_bytes: u64,
    /// Peak of all measurements without the long text.
    pub peak_bytes: u64,
}

/// The longest text that the model accepts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LongText {
    /// Its tokens.
    pub tokens: usize,
    /// Its latency.
    pub milliseconds: f64,
    /// Peak memory minus the resident memory before.
    pub extra_bytes: Option<u64>,
}

/// Queries of one client while other clients send long texts without a pause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flood {
    /// Clients that send long texts.
    pub clients: usize,
    /// Tokens of each long text.
    pub tokens: usize,
    /// Successful queries.
    pub samples: usize,
    /// Failed queries.
    pub errors: usize,
    /// Median latency of the queries.
    pub p50_milliseconds: f64,
    /// Highest latency of the queries.
    pub slowest_milliseconds: f64,
}

/// A server with a given number of threads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThreadCount {
    /// Threads of its model.
    pub threads: usize,
    /// One text at a time, by its length.
    pub latency: Vec<Latency>,
    /// Several clients at a time.
    pub throughput: Vec<Throughput>,
}

/// One measurement divided by another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ratio {
    /// What was measured.
    pub measurement: &'static str,
    /// What it was divided by.
    pub against: String,
    /// The quotient.
    pub ratio: f64,
}

/// The latency of texts of `tokens` tokens.
pub fn latency_of(latency: &[Latency], tokens: usize) -> Option<&Latency> {
    latency.iter().find(|entry| entry.tokens == tokens)
}

/// The throughput of texts of these lengths, shortest and longest, with `clients` clients.
pub fn throughput_of(
    throughput: &[Throughput],
    lengths: (usize, usize),
    clients: usize,
) -> Option<&Throughput> {
    throughput.iter().find(|entry| {
        (entry.shortest_tokens, entry.longest_tokens) == lengths && entry.clients == clients
    })
}

/// The batch of `texts` texts of `tokens` tokens.
pub fn batch_of(batches: &[Batch], texts: usize, tokens: usize) -> Option<&Batch> {
    batches
        .iter()
        .find(|entry| (entry.texts, entry.tokens) == (texts, tokens))
}
