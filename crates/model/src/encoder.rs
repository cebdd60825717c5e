//! Batches of tokens to unit vectors, by one run of the ONNX session.
//!
//! Owns the session and the names of a graph's inputs and outputs. The vectors are in the order of the batch, finite and
//! of length 1, and a text's vector does not depend on its batch.

use std::num::NonZeroUsize;

use ndarray::{Array1, Array2, ArrayView2, ArrayViewD, Axis, Ix3};
use ort::environment::Environment;
use ort::session::{RunOptions, Session};
use ort::value::Tensor;

use crate::description::{Description, ModelDirectory};
use crate::error::Error;
use crate::pooling::{normalize, pool};
use crate::tokenizer::Tokens;
use crate::{graph_check, session};

/// A text's vector: as many floats as the model has dimensions, of Euclidean length 1.
pub type Embedding = Vec<f32>;

/// Names of the inputs of a transformer graph.
pub mod input {
    /// Token ids: `[batch, sequence]`, or `[tokens]` in a graph with [`LENGTHS`].
    pub const IDS: &str = "input_ids";
    /// 1 for a token, 0 for padding: `[batch, sequence]`.
    pub const MASK: &str = "attention_mask";
    /// Token types, always 0: `[batch, sequence]`.
    pub const TYPES: &str = "token_type_ids";
    /// Numbers of tokens of concatenated sequences: `[texts]`. Only graphs exported by this crate have it.
    pub const LENGTHS: &str = "lengths";
}

const INPUTS: [&str; 4] = [input::IDS, input::MASK, input::TYPES, input::LENGTHS];

/// What a graph outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OutputKind {
    /// Unit vectors, `[batch, dimensions]`.
    Vectors,
    /// Token vectors, `[batch, sequence, dimensions]`.
    TokenVectors,
}

/// Name of the output of graphs exported by this crate: unit vectors, `[batch, dimensions]`.
pub const VECTORS_OUTPUT: &str = "dense_vecs";
const OUTPUTS: [(&str, OutputKind); 3] = [
    (VECTORS_OUTPUT, OutputKind::Vectors),
    ("last_hidden_state", OutputKind::TokenVectors),
    ("token_embeddings", OutputKind::TokenVectors),
];

/// A loaded model.
pub struct Encoder {
    session: Session,
    /// Those of the names in [`input`] that the graph has.
    inputs: Vec<&'static str>,
    output: (&'static str, OutputKind),
    description: Description,
    // The session must not outlive its environment.
    _environment: Environment,
}

impl Encoder {
    /// Loads the graph of a model directory, to be run by `threads` threads.
    ///
    /// An error if the graph is damaged, if ONNX Runtime cannot load it, or if an input or all its outputs are unknown.
    pub fn load(
        environment: &Environment,
        directory: &ModelDirectory,
        threads: NonZeroUsize,
    ) -> Result<Self, Error> {
        let origin = graph_check::check(directory)?;
        let session = session::open(environment, &directory.graph, origin, threads)?;
        let unsupported = |why: String| Error::NotAModel {
            directory: directory.path.clone(),
            why,
        };
        let inputs = session
            .inputs()
            .iter()
            .map(|outlet| {
                let known = INPUTS.into_iter().find(|name| *name == outlet.name());
                known.ok_or_else(|| {
                    unsupported(format!("its graph has an unknown input {}", outlet.name()))
                })
            })
            .collect::<Result<_, _>>()?;
        let output = OUTPUTS
            .into_iter()
            .find(|(name, _)| {
                session
                    .outputs()
                    .iter()
                    .any(|outlet| outlet.name() == *name)
            })
            .ok_or_else(|| {
                unsupported(format!(
                    "its graph has none of the outputs {}",
                    OUTPUTS.map(|(name, _)| name).join(", ")
                ))
            })?;
        Ok(Self {
            session,
            inputs,
            output,
            description: directory.description.clone(),
            _environment: environment.clone(),
        })
    }

    /// The model's description.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The vectors of `batch`, in its order; none for an empty batch. One text without a vector is an error.
    pub fn encode(&mut self, batch: &[&Tokens]) -> Result<Vec<Embedding>, Error> {
        self.encode_each(batch)?.into_iter().collect()
    }

    /// As [`Encoder::encode`], with a result for each text: a vector that is not finite is an error of its text alone.
    pub fn encode_each(
        &mut self,
        batch: &[&Tokens],
    ) -> Result<Vec<Result<Embedding, Error>>, Error> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let tensors = if self.inputs.contains(&input::LENGTHS) {
            concatenated(batch)?
        } else {
            padded(&self.inputs, batch)?
        };
        let options = run_options(batch)?;
        let outputs = self.session.run_with_options(tensors, &options)?;
        let (name, kind) = self.output;
        let output = outputs[name].try_extract_array::<f32>()?;
        let vectors = match kind {
            OutputKind::Vectors => rows(&with_dimensions(output)?),
            OutputKind::TokenVectors => {
                let token_vectors: ndarray::ArrayView3<'_, f32> = with_dimensions::<Ix3>(output)?;
                token_vectors
                    .axis_iter(Axis(0))
                    .zip(batch)
                    .map(|(row, tokens)| {
                        normalize(pool(row, tokens.len(), self.description.pooling).view())
                    })
                    .collect()
            }
        };
        checked(vectors, batch.len(), self.description.dimensions)
    }
}

/// After a batch of more tokens the memory arena is shrunk: what one long text needed is more than the rest of the program
/// needs, and allocating it again takes little time compared with such a run.
const TOKENS_WITHOUT_SHRINKING: usize = 2048;

fn run_options(batch: &[&Tokens]) -> ort::Result<RunOptions> {
    let mut options = RunOptions::new()?;
    if batch.iter().map(|tokens| tokens.len()).sum::<usize>() > TOKENS_WITHOUT_SHRINKING {
        options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
    }
    Ok(options)
}

type NamedTensor = (&'static str, Tensor<i64>);

/// Concatenated sequences and their lengths, without padding.
fn concatenated(batch: &[&Tokens]) -> Result<Vec<NamedTensor>, Error> {
    let ids: Array1<i64> = batch
        .iter()
        .flat_map(|tokens| tokens.ids())
        .map(|&id| i64::from(id))
        .collect();
    let lengths: Array1<i64> = batch.iter().map(|tokens| tokens.len() as i64).collect();
    Ok(vec![
        (input::IDS, Tensor::from_array(ids)?),
        (input::LENGTHS, Tensor::from_array(lengths)?),
    ])
}

/// One sequence a row, padded to the longest.
fn padded(inputs: &[&'static str], batch: &[&Tokens]) -> Result<Vec<NamedTensor>, Error> {
    let longest = batch
        .iter()
        .map(|tokens| tokens.len())
        .max()
        .unwrap_or_default();
    let named = inputs.iter().map(|&name| {
        // Padding has mask 0 and does not influence any vector, so any valid id will do.
        let (of_token, padding): (fn(u32) -> i64, i64) = match name {
            input::IDS => (i64::from, PADDING_ID),
            input::MASK => (|_| 1, 0),
            _ => (|_| 0, 0),
        };
        let mut array = Array2::from_elem((batch.len(), longest), padding);
        for (mut row, tokens) in array.rows_mut().into_iter().zip(batch) {
            for (cell, id) in row.iter_mut().zip(tokens.ids()) {
                *cell = of_token(*id);
            }
        }
        Ok((name, Tensor::from_array(array)?))
    });
    Ok(named.collect::<ort::Result<_>>()?)
}

/// Valid in every vocabulary, and XLM-RoBERTa's id of the padding token.
const PADDING_ID: i64 = 1;

fn with_dimensions<D: ndarray::Dimension>(
    output: ArrayViewD<'_, f32>,
) -> Result<ndarray::ArrayView<'_, f32, D>, Error> {
    let shape = output.shape().to_vec();
    output.into_dimensionality().map_err(|_| Error::Output {
        what: format!("a tensor of shape {shape:?}"),
    })
}

fn rows(vectors: &ArrayView2<'_, f32>) -> Vec<Embedding> {
    vectors.rows().into_iter().map(|row| row.to_vec()).collect()
}

fn checked(
    vectors: Vec<Embedding>,
    texts: usize,
    dimensions: NonZeroUsize,
) -> Result<Vec<Result<Embedding, Error>>, Error> {
    let what = if vectors.len() != texts {
        format!("{} vectors for {texts} texts", vectors.len())
    } else if let Some(wrong) = vectors
        .iter()
        .find(|vector| vector.len() != dimensions.get())
    {
        format!("a vector of {} floats instead of {dimensions}", wrong.len())
    } else {
        return Ok(vectors.into_iter().map(finite).collect());
    };
    Err(Error::Output { what })
}

fn finite(vector: Embedding) -> Result<Embedding, Error> {
    if vector.iter().all(|component| component.is_finite()) {
        return Ok(vector);
    }
    Err(Error::Output {
        what: "a vector with a value that is not finite".to_owned(),
    })
}
