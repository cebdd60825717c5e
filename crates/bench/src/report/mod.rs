//! The report: what one run measured, as a JSON document and as text.
//!
//! Owns the document's shape, the ratios and the text. `benches/plot.py` and `benches/compare.py` use the same shape.

mod baseline;
mod document;
#[cfg(test)]
mod examples;
mod ratios;
mod text;
mod threads_table;

pub use baseline::Baseline;
pub use document::{
    Batch, ColdStart, FORMAT, Flood, Latency, LongText, Memory, Model, Ratio, RepeatedQuery,
    Report, ThreadCount, Throughput,
};
pub use ratios::ratios;
