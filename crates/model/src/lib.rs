//! From texts to unit vectors: tokenizer, ONNX session and pooling.
//!
//! Owns everything that knows tokens and tensors, and nothing that knows queues, JSON or HTTP. Every vector that leaves it has the model's dimension and length 1, and does not depend on the
//! other texts of its batch.

mod description;
mod encoder;
mod error;
pub mod export;
mod graph_check;
mod onnx;
mod operators;
mod pooling;
mod precision;
mod report;
mod sentence_transformers;
mod session;
mod tokenizer;
mod weights_file;

pub use description::{DESCRIPTION_FILE, Description, GRAPH_FILE, ModelDirectory, TOKENIZER_FILE};
pub use encoder::{Encoder, VECTORS_OUTPUT, input};
pub use error::Error;
pub use graph_check::GraphError;
pub use ort::environment::Environment;
pub use precision::Precision;
pub use report::{QualityReport, REPORT_FILE};
pub use sentence_transformers::{Pooling, SentenceTransformer, read_json};
pub use session::load_runtime;
pub use tokenizer::{Tokenizer, Tokens};

/// One text's vector: as many floats as the model has dimensions, of Euclidean length 1.
pub type Embedding = Vec<f32>;
