//! The graph of an exported model: what the exporter writes, and what the check at loading expects.
//!
//! Owns the rule that an architecture, a pooling and the precision of its weights give exactly one graph: its nodes, its tensors and their
//! places, everything but the weights' values.

mod builder;
mod heads;
mod transformer;
mod writer;

use std::num::NonZeroUsize;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::onnx::Graph;
use crate::precision::Precision;
pub use builder::{EXTERNAL_DATA_FILE, next_offset};
pub use heads::{COLBERT_HEAD, SPARSE_HEAD};
pub use transformer::{POSITIONS, TABLES, WORDS, layout};
pub use writer::with_suffix;

/// Sizes and constants of a transformer encoder; attention heads divide the hidden size, and there is at least one layer.
#[derive(Debug, Clone)]
pub struct Architecture {
    /// Row of the position embeddings that a sequence begins with: 0 in BERT, the padding id + 1 in RoBERTa's family.
    /// The two families differ in nothing else here.
    pub first_position: usize,
    /// Floats per token.
    pub hidden: NonZeroUsize,
    /// Floats per token inside the feed-forward layers.
    pub intermediate: usize,
    /// Encoder layers.
    pub layers: usize,
    /// Attention heads.
    pub attention_heads: usize,
    /// Rows of the word embeddings.
    pub vocabulary: usize,
    /// Rows of the position embeddings.
    pub position_rows: usize,
    /// Added to the variance in every layer normalization.
    pub epsilon: f32,
    /// What is computed of the last layer's tokens beside the dense vector.
    pub output_heads: OutputHeads,
}

/// The heads of a model beside its dense vectors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputHeads {
    /// Whether it gives sparse weights.
    pub sparse: bool,
    /// Floats in each of its ColBERT vectors, if it gives them.
    pub colbert: Option<NonZeroUsize>,
}

impl OutputHeads {
    /// Whether there is any.
    pub fn any(self) -> bool {
        self.sparse || self.colbert.is_some()
    }
}

impl Architecture {
    /// Longest token sequence that has enough positions.
    pub fn token_limit(&self) -> usize {
        self.position_rows.saturating_sub(self.first_position)
    }
}

/// In which precision a graph's weights are stored.
#[derive(Debug, Clone, Copy)]
pub struct WeightPrecision<'a> {
    /// The precision of matrices and tables.
    pub precision: Precision,
    /// In fp16, the names of those that stay in fp32.
    pub kept_in_fp32: &'a [String],
}

impl WeightPrecision<'_> {
    /// The precision of the matrix or the tables with this name in the graph.
    pub fn of(self, name: &str) -> Precision {
        let is_kept = self.kept_in_fp32.iter().any(|kept| kept == name);
        if is_kept && self.precision == Precision::Fp16 {
            Precision::Fp32
        } else {
            self.precision
        }
    }
}

/// A graph without the values of its weights.
#[derive(Default)]
pub struct Layout {
    /// The graph. Weights in it have no data.
    pub graph: Graph,
    /// Where weights come from, each with its tensors among the graph's initializers, in their order.
    pub weights: Vec<(Weights, Range<usize>)>,
    /// Length of the file of weights.
    pub external_bytes: u64,
}

/// Tensors of a checkpoint that become tensors of the graph.
pub enum Weights {
    /// The word embeddings: one tensor; in int8 the scales of their rows, too.
    Words(Precision),
    /// The position embeddings, with the embedding of token type 0 added, because the graph knows no other type; in fp16 or
    /// fp32.
    Positions(Precision),
    /// Vectors, concatenated.
    Vectors {
        /// Their names in the checkpoint.
        parts: Vec<String>,
        /// Length of each.
        length: usize,
    },
    /// The prepacked matrices of a layer: one tensor; in int8 the scales and the sums of its outputs, too.
    Matrices(Linear),
}

/// A fully connected layer.
pub struct Linear {
    /// Its name in the graph.
    pub name: String,
    /// The checkpoint's layers that are stacked into it, all with the same inputs.
    pub parts: Vec<String>,
    /// Rows of each part's matrix.
    pub outputs: usize,
    /// Columns of each part's matrix.
    pub inputs: usize,
    /// Precision of its weights.
    pub precision: Precision,
}
