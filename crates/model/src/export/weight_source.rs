//! The weights of a graph: read from a checkpoint, written to the model directory.
//!
//! Owns the names that the checkpoint's tensors have. A tensor enters the graph only if the checkpoint has it in exactly
//! the shape that the architecture prescribes.

use super::checkpoint::Checkpoint;
use super::error::Error;
use super::external_data_writer::ExternalDataWriter;
use super::graph::{GraphBuilder, ValueName};
use super::safetensors::TensorLocation;

/// A checkpoint and the file that its weights go to.
pub struct WeightSource<'a> {
    /// Where weights are read.
    pub checkpoint: &'a mut Checkpoint,
    /// Where weights are written.
    pub external_data: &'a mut ExternalDataWriter,
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
}

impl Linear {
    /// Query, key and value of an attention layer as one layer of three times the width.
    pub fn query_key_value(layer: usize, hidden: usize) -> Self {
        let part = |role| format!("encoder.layer.{layer}.attention.self.{role}");
        Self {
            name: format!("layer.{layer}.attention.query_key_value"),
            parts: ["query", "key", "value"].map(part).into(),
            outputs: hidden,
            inputs: hidden,
        }
    }
}

impl WeightSource<'_> {
    /// The word embeddings, `[vocabulary, hidden]`.
    pub fn word_embeddings(&self) -> Result<TensorLocation, Error> {
        let architecture = &self.checkpoint.architecture;
        let shape = [architecture.vocabulary, architecture.hidden.get()];
        self.checkpoint
            .find("embeddings.word_embeddings.weight", &shape)
    }

    /// The position embeddings, `[positions, hidden]`.
    ///
    /// The embedding of token type 0 is added to each of them, because the graph knows no other token type.
    pub fn position_embeddings(&mut self, graph: &mut GraphBuilder) -> Result<ValueName, Error> {
        let architecture = &self.checkpoint.architecture;
        let hidden = architecture.hidden.get();
        let (rows, types) = (architecture.position_rows, architecture.token_types);
        let location = self
            .checkpoint
            .find("embeddings.position_embeddings.weight", &[rows, hidden])?;
        let mut positions = self.checkpoint.weights.read(&location)?;
        let location = self
            .checkpoint
            .find("embeddings.token_type_embeddings.weight", &[types, hidden])?;
        let token_types = self.checkpoint.weights.read(&location)?;
        for position in positions.chunks_exact_mut(hidden) {
            for (component, added) in position.iter_mut().zip(&token_types) {
                *component += added;
            }
        }
        let tensor =
            self.external_data
                .floats("embeddings.positions", &[rows, hidden], &positions)?;
        Ok(graph.weight(tensor))
    }

    /// Scale and shift of the layer normalization with this name in the checkpoint, each `[hidden]`.
    pub fn normalization(
        &mut self,
        graph: &mut GraphBuilder,
        checkpoint_name: &str,
    ) -> Result<[ValueName; 2], Error> {
        let name = graph_name(checkpoint_name).to_owned();
        let hidden = self.checkpoint.architecture.hidden.get();
        let find = |part| {
            self.checkpoint
                .find(&format!("{checkpoint_name}.{part}"), &[hidden])
        };
        let (scale, shift) = (find("weight")?, find("bias")?);
        Ok([
            self.copy(graph, &format!("{name}.scale"), &[scale])?,
            self.copy(graph, &format!("{name}.shift"), &[shift])?,
        ])
    }

    /// The matrices of a layer's parts, each `[outputs, inputs]`.
    pub fn matrices(&self, linear: &Linear) -> Result<Vec<TensorLocation>, Error> {
        self.parts(linear, "weight", &[linear.outputs, linear.inputs])
    }

    /// The biases of a layer's parts, concatenated.
    pub fn bias(&mut self, graph: &mut GraphBuilder, linear: &Linear) -> Result<ValueName, Error> {
        let parts = self.parts(linear, "bias", &[linear.outputs])?;
        self.copy(graph, &format!("{}.bias", linear.name), &parts)
    }

    /// Copies tensors, stacked along the first dimension, into one weight of the graph.
    pub fn copy(
        &mut self,
        graph: &mut GraphBuilder,
        name: &str,
        parts: &[TensorLocation],
    ) -> Result<ValueName, Error> {
        let tensor = self
            .external_data
            .stack(&mut self.checkpoint.weights, name, parts)?;
        Ok(graph.weight(tensor))
    }

    fn parts(
        &self,
        linear: &Linear,
        parameter: &str,
        shape: &[usize],
    ) -> Result<Vec<TensorLocation>, Error> {
        let find = |part: &String| self.checkpoint.find(&format!("{part}.{parameter}"), shape);
        linear.parts.iter().map(find).collect()
    }
}

/// The name in the graph of a part of the checkpoint: the same without the prefix that all layers have.
pub fn graph_name(checkpoint_name: &str) -> &str {
    checkpoint_name.trim_start_matches("encoder.")
}
