//! Vectors against SentenceTransformer's, and model directories of other exporters.

mod batches;
mod damaged;
mod foreign;
mod fp16;
mod fuzzed;
mod golden;
mod heads;
mod int8;
mod long_texts;
mod same_bits;
mod sentences;
