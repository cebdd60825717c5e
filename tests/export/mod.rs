//! What the exporter writes, and what it refuses.

mod determinism;
mod halves;
mod heads;
mod published_heads;
mod refusals;
mod report;
mod sentence_transformers;
mod tokenizer_files;
mod weight_files;
mod weight_names;
