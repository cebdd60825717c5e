//! What the exporter writes, and what it refuses.

mod determinism;
mod heads;
mod refusals;
mod report;
