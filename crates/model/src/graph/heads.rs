//! The nodes of bge-m3's two heads: sparse weights and ColBERT vectors of the last layer's tokens.
//!
//! Both stay in floats in every precision. Their rows are those of the texts that ask for the output, so an output that
//! nobody asks for costs nothing. The definitions are those of FlagEmbedding's encoder-only m3 models.

use super::writer::GraphWriter;
use super::{Linear, OutputHeads};
use crate::encoder::{COLBERT_OUTPUT, SPARSE_OUTPUT, input};
use crate::onnx::DimensionValue::{Fixed, Named};
use crate::onnx::ElementType::Float;
use crate::onnx::{Node, ValueInfo};
use crate::operators::name;
use crate::precision::Precision;

use super::builder::{ValueName, value_info};

/// What precedes the names of the sparse head's tensors.
pub const SPARSE_HEAD: &str = "sparse_linear";
/// What precedes the names of the ColBERT head's tensors.
pub const COLBERT_HEAD: &str = "colbert_linear";

impl GraphWriter<'_> {
    /// The rows of the last layer that dense vectors are made of: each text's first, if the text asks for them.
    pub(super) fn first_tokens(&mut self, rows: &str) -> ValueName {
        if self.architecture.output_heads.any() {
            self.select_rows("dense.tokens", rows, [input::QUERIES, input::DENSE], 0)
        } else {
            rows.to_owned()
        }
    }

    /// Adds the heads that the model has, and returns what they output.
    pub(super) fn heads(&mut self, rows: &str) -> Vec<ValueInfo> {
        let OutputHeads { sparse, colbert } = self.architecture.output_heads;
        let mut outputs = Vec::new();
        if sparse {
            let rows = self.select_rows("sparse.tokens", rows, [input::QUERIES, input::SPARSE], 0);
            let products = self.head(SPARSE_HEAD, 1, rows);
            let node = Node::new(name::TOKEN_WEIGHTS, &[&products]);
            self.graph.add(SPARSE_OUTPUT, node);
            let tokens = Named("sparse_tokens".to_owned());
            outputs.push(value_info(SPARSE_OUTPUT, Float, &[tokens]));
        }
        if let Some(size) = colbert {
            let size = size.get();
            // The first token stands for the whole text and is no token of it.
            let rows =
                self.select_rows("colbert.tokens", rows, [input::QUERIES, input::COLBERT], 1);
            let products = self.head(COLBERT_HEAD, size, rows);
            let node = Node::new(name::NORMALIZE_ROWS, &[&products]).integer("width", size as i64);
            self.graph.add(COLBERT_OUTPUT, node);
            let tokens = Named("colbert_tokens".to_owned());
            outputs.push(value_info(
                COLBERT_OUTPUT,
                Float,
                &[tokens, Fixed(size as i64)],
            ));
        }
        outputs
    }

    /// Of each text's rows, whose numbers are the first of `counts`, as many as the second says, without the first `skip`.
    pub(super) fn select_rows(
        &mut self,
        output: &str,
        rows: &str,
        [lengths, counts]: [&str; 2],
        skip: i64,
    ) -> ValueName {
        let node = Node::new(name::SELECT_ROWS, &[rows, lengths, counts]);
        self.graph.add(output, node.integer("skip", skip))
    }

    fn head(&mut self, checkpoint_name: &str, outputs: usize, rows: ValueName) -> ValueName {
        let linear = Linear {
            name: checkpoint_name.to_owned(),
            parts: vec![checkpoint_name.to_owned()],
            outputs,
            inputs: self.hidden,
            precision: Precision::Fp32,
        };
        self.linear(linear, &vec![rows])
    }
}
