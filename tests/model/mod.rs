//! Vectors against SentenceTransformer's, and model directories of other exporters.

mod batches;
mod foreign;
mod golden;
mod int8;
