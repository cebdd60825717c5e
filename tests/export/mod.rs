//! What the exporter writes, and what it refuses.

mod determinism;
mod refusals;
mod report;
