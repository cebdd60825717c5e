//! The ONNX graph of a BERT or XLM-RoBERTa encoder, from token ids to unit vectors.
//!
//! Owns the source of the weights, and the normalisation at the end; [`layers`] has what comes between.

mod layers;

use super::Error;
use super::checkpoint::Checkpoint;
use super::graph::{GraphBuilder, Operation, Value};
use super::onnx::Model;
use super::safetensors::TensorPlace;
use super::weights::WeightsWriter;
use crate::Precision;
use crate::VECTORS_OUTPUT;

/// As in `torch.nn.functional.normalize`.
const SMALLEST_NORM: f32 = 1e-12;

/// Writes the weights and gives the graph that uses them.
pub fn build(
    checkpoint: &mut Checkpoint,
    weights: &mut WeightsWriter,
    precision: Precision,
) -> Result<Model, Error> {
    let source = Source {
        checkpoint,
        weights,
    };
    layers::build(source, precision)
}

/// One fully connected part of a layer.
struct Linear {
    /// Its name in the graph.
    name: String,
    /// Names of the checkpoint's parts that are stacked into it.
    parts: Vec<String>,
    /// Rows of each part's matrix.
    outputs: usize,
    /// Columns of each part's matrix.
    inputs: usize,
}

/// Where weights come from and where they go.
pub(super) struct Source<'a> {
    pub checkpoint: &'a mut Checkpoint,
    pub weights: &'a mut WeightsWriter,
}

impl Source<'_> {
    /// Copies tensors, stacked, into one weight of the graph.
    fn copy(
        &mut self,
        graph: &mut GraphBuilder,
        name: &str,
        parts: &[TensorPlace],
    ) -> Result<Value, Error> {
        let tensor = self
            .weights
            .stack(&mut self.checkpoint.weights, name, parts)?;
        Ok(graph.weight(tensor))
    }

    /// The word table.
    fn word_table(&self) -> Result<TensorPlace, Error> {
        let architecture = &self.checkpoint.architecture;
        let shape = [architecture.vocabulary, architecture.hidden.get()];
        self.checkpoint
            .find("embeddings.word_embeddings.weight", &shape)
    }

    /// The matrices of a connected part, each `[outputs, inputs]`.
    fn matrices(&self, linear: &Linear) -> Result<Vec<TensorPlace>, Error> {
        self.parts(linear, "weight", &[linear.outputs, linear.inputs])
    }

    /// The biases of a connected part as one weight of the graph.
    fn bias(&mut self, graph: &mut GraphBuilder, linear: &Linear) -> Result<Value, Error> {
        let parts = self.parts(linear, "bias", &[linear.outputs])?;
        self.copy(graph, &format!("{}.bias", linear.name), &parts)
    }

    fn parts(
        &self,
        linear: &Linear,
        kind: &str,
        shape: &[usize],
    ) -> Result<Vec<TensorPlace>, Error> {
        let find = |part: &String| self.checkpoint.find(&format!("{part}.{kind}"), shape);
        linear.parts.iter().map(find).collect()
    }

    /// Scale and shift of a normalisation.
    fn normalization(
        &mut self,
        graph: &mut GraphBuilder,
        source: &str,
    ) -> Result<[Value; 2], Error> {
        let name = short(source).to_owned();
        let hidden = self.checkpoint.architecture.hidden.get();
        let scale = self
            .checkpoint
            .find(&format!("{source}.weight"), &[hidden])?;
        let shift = self.checkpoint.find(&format!("{source}.bias"), &[hidden])?;
        Ok([
            self.copy(graph, &format!("{name}.scale"), &[scale])?,
            self.copy(graph, &format!("{name}.shift"), &[shift])?,
        ])
    }

    /// The position table, with the row of the only token type that is ever used added to each of its rows.
    fn position_table(&mut self, graph: &mut GraphBuilder) -> Result<Value, Error> {
        let architecture = &self.checkpoint.architecture;
        let hidden = architecture.hidden.get();
        let (rows, types) = (architecture.position_rows, architecture.token_types);
        let place = self
            .checkpoint
            .find("embeddings.position_embeddings.weight", &[rows, hidden])?;
        let mut table = self.checkpoint.weights.read(&place)?;
        let place = self
            .checkpoint
            .find("embeddings.token_type_embeddings.weight", &[types, hidden])?;
        let types = self.checkpoint.weights.read(&place)?;
        for row in table.chunks_exact_mut(hidden) {
            for (cell, added) in row.iter_mut().zip(&types) {
                *cell += added;
            }
        }
        let tensor = self
            .weights
            .floats("embeddings.positions", &[rows, hidden], &table)?;
        Ok(graph.weight(tensor))
    }
}

/// A tensor's name without what all names begin with.
fn short(name: &str) -> &str {
    name.trim_start_matches("encoder.")
}

/// Names of the checkpoint's query, key and value parts.
fn attention_parts(layer: usize) -> Vec<String> {
    let part = |role| format!("encoder.layer.{layer}.attention.self.{role}");
    ["query", "key", "value"].map(part).into()
}

/// Ends the graph: every vector is divided by its length.
fn normalize(graph: &mut GraphBuilder, vectors: &str) {
    let axis = graph.integers("norm.axis", &[1], &[-1]);
    let smallest = graph.scalar("norm.smallest", SMALLEST_NORM);
    let norm = graph.add(
        "norm.length",
        Operation::standard("ReduceL2", &[vectors, &axis]).integer("keepdims", 1),
    );
    let norm = graph.add(
        "norm.divisor",
        Operation::standard("Max", &[&norm, &smallest]),
    );
    graph.add(
        VECTORS_OUTPUT,
        Operation::standard("Div", &[vectors, &norm]),
    );
}
