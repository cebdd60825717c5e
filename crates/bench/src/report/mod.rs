//! What was measured, as one JSON document with units in its names.
//!
//! Owns the document's shape: fields are added, never renamed or given another unit, unless [`FORMAT`] changes.
//! `benches/plot.py` and `benches/alternatives.py` use the same shape.

mod baseline;
#[cfg(test)]
mod examples;
mod table;
mod targets;
mod text;

use serde::{Deserialize, Serialize};

use super::machine::Machine;
pub use baseline::Baseline;
pub use targets::Target;

/// Counts the changes of the document's shape.
pub const FORMAT: u32 = 1;

/// Everything that was measured in one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Version of the document's shape.
    pub format: u32,
    /// Name and version of the program that measured.
    pub program: String,
    /// Whether fewer samples were taken than usual.
    pub quick: bool,
    /// Address of a server that was running already; absent: a server of this program's own.
    pub url: Option<String>,
    /// The model, as far as it is known.
    pub model: Option<Model>,
    /// The machine; absent for a server elsewhere.
    pub machine: Option<Machine>,
    /// Whether texts have exactly the stated number of tokens.
    pub token_counts_are_exact: bool,
    /// Time to read every matrix once from memory.
    pub floor_milliseconds: Option<f64>,
    /// One text at a time, by its length.
    pub latency: Vec<Latency>,
    /// Several clients at a time.
    pub throughput: Vec<Throughput>,
    /// Many texts in one job.
    pub batches: Vec<Batch>,
    /// From the start of the process to the first vector.
    pub cold_start: Option<ColdStart>,
    /// Memory of the server.
    pub memory: Option<Memory>,
    /// One text of the greatest length.
    pub long_text: Option<LongText>,
    /// Queries among long texts.
    pub flood: Option<Flood>,
    /// What was aimed at; empty for models without targets.
    pub targets: Vec<Target>,
}

/// The model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Precision of its matrices.
    pub precision: String,
    /// Floats in a vector.
    pub dimensions: usize,
    /// Bytes of its matrices, without the tables of words and positions.
    pub matrix_bytes: Option<u64>,
}

/// Times of one text at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Tokens of the text, special ones included.
    pub tokens: usize,
    /// Texts that were answered.
    pub samples: usize,
    /// Texts that were not.
    pub errors: usize,
    /// Half of the texts took less.
    pub p50_milliseconds: f64,
    /// 95 % of the texts took less.
    pub p95_milliseconds: f64,
    /// 99 % of the texts took less.
    pub p99_milliseconds: f64,
}

/// Work done for several clients at a time, each sending one text after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Tokens of the shortest text.
    pub shortest_tokens: usize,
    /// Tokens of the longest text.
    pub longest_tokens: usize,
    /// Clients.
    pub clients: usize,
    /// Texts that were answered.
    pub samples: usize,
    /// Texts that were not.
    pub errors: usize,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Texts answered.
    pub texts_per_second: f64,
    /// Tokens of the texts answered, without padding.
    pub tokens_per_second: f64,
    /// Half of the texts took less.
    pub p50_milliseconds: f64,
    /// 99 % of the texts took less.
    pub p99_milliseconds: f64,
}

/// Times of one job with many texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Texts in the job.
    pub texts: usize,
    /// Tokens of each text.
    pub tokens: usize,
    /// Jobs that were answered.
    pub samples: usize,
    /// Jobs that were not.
    pub errors: usize,
    /// Half of the jobs took less.
    pub p50_milliseconds: f64,
    /// Texts answered, at that time.
    pub texts_per_second: f64,
}

/// Starts of the server, with its files in the page cache.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColdStart {
    /// Starts.
    pub samples: usize,
    /// Half of the starts took less, from the start of the process to the first vector over HTTP.
    pub p50_seconds: f64,
    /// The slowest.
    pub slowest_seconds: f64,
}

/// Resident memory of the server, mapped files included.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Memory {
    /// After warm-up, with nothing to do.
    pub idle_bytes: u64,
    /// At most, under everything but the long text.
    pub peak_bytes: u64,
}

/// One text of the greatest length that the model takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LongText {
    /// Its tokens.
    pub tokens: usize,
    /// Its time.
    pub milliseconds: f64,
    /// Memory at the peak beyond what was resident before.
    pub extra_bytes: Option<u64>,
}

/// Queries of one client while others send long texts without a pause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flood {
    /// Clients that send long texts.
    pub clients: usize,
    /// Tokens of each long text.
    pub tokens: usize,
    /// Queries that were answered.
    pub samples: usize,
    /// Queries that were not.
    pub errors: usize,
    /// Half of the queries took less.
    pub p50_milliseconds: f64,
    /// The slowest query.
    pub slowest_milliseconds: f64,
}

impl Report {
    /// The latency of texts of `tokens` tokens.
    pub fn latency_of(&self, tokens: usize) -> Option<&Latency> {
        latency_of(&self.latency, tokens)
    }

    /// The throughput of texts of the given lengths for so many clients.
    pub fn throughput_of(&self, lengths: (usize, usize), clients: usize) -> Option<&Throughput> {
        throughput_of(&self.throughput, lengths, clients)
    }

    /// The batch of so many texts of so many tokens.
    pub fn batch_of(&self, texts: usize, tokens: usize) -> Option<&Batch> {
        batch_of(&self.batches, texts, tokens)
    }

    /// Compares with the targets of this model and precision, and with the alternatives where they were measured.
    pub fn compare(&mut self, baseline: Option<&Baseline>) {
        self.targets = targets::compare(self, baseline);
    }
}

fn latency_of(latency: &[Latency], tokens: usize) -> Option<&Latency> {
    latency.iter().find(|entry| entry.tokens == tokens)
}

fn throughput_of(
    throughput: &[Throughput],
    lengths: (usize, usize),
    clients: usize,
) -> Option<&Throughput> {
    throughput.iter().find(|entry| {
        (entry.shortest_tokens, entry.longest_tokens) == lengths && entry.clients == clients
    })
}

fn batch_of(batches: &[Batch], texts: usize, tokens: usize) -> Option<&Batch> {
    batches
        .iter()
        .find(|entry| (entry.texts, entry.tokens) == (texts, tokens))
}
