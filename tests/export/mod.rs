//! What the exporter writes, and what it refuses.

mod determinism;
mod refusals;
mod report;
mod sentence_transformers;
mod weight_files;
mod weight_names;
