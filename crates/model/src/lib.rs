//! Embedding models on ONNX Runtime, in two directions.
//!
//! - Texts to vectors: a [`ModelDirectory`] is opened, its [`Tokenizer`] turns texts into [`Tokens`], and its [`Encoder`]
//!   turns batches of tokens into vectors. Graphs exported here use operators of their own, which run the `kernels` crate.
//! - Checkpoint to model directory: [`export`](mod@export) reads a Hugging Face checkpoint and writes the graph, the
//!   prepacked weights, the tokenizer and the description that the first direction needs.
//!
//! Invariants: every vector is finite, has the model's dimension and length 1, and does not depend on the other texts
//! of its batch. The same checkpoint is exported to the same bytes on every machine.
//!
//! The crate knows nothing of queues, HTTP or settings.

mod batch_layout;
mod checkpoint_files;
mod description;
mod encoder;
mod error;
pub mod export;
mod file;
mod foreign;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod graph;
mod graph_check;
mod json;
mod leave;
mod onnx;
mod operators;
mod origin;
mod output_rows;
mod outputs;
mod pooling;
mod precision;
mod report;
mod sentence_transformers;
mod session;
mod tokenizer;

pub use batch_layout::{BatchLayout, BatchSize};
pub use description::{
    DESCRIPTION_FILE, Description, GRAPH_FILE, Heads, ModelDirectory, TOKENIZER_FILE,
};
pub use encoder::{Encoder, Text};
pub use error::Error;
pub use graph::OutputHeads;
pub use graph_check::GraphError;
pub use leave::leave;
pub use origin::Origin;
pub use ort::environment::Environment;
pub use outputs::{
    ColbertEmbedding, Embedding, Encoded, Output, Outputs, SparseEmbedding, colbert_score,
};
pub use precision::Precision;
pub use report::{
    ColbertQuality, HeadQuality, QualityReport, REPORT_FILE, ScoreErrors, SparseQuality,
};
pub use sentence_transformers::Pooling;
pub use session::load_runtime;
pub use tokenizer::{Tokenizer, Tokens};
