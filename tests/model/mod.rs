//! Vectors against SentenceTransformer's, and model directories of other exporters.

mod foreign;
mod golden;
mod int8;
