//! Batches of token ids to unit vectors, by one run of the ONNX session.
//!
//! Owns the session. The vectors come out in the order of the texts, finite and of length 1, and a text's vector does
//! not depend on the batch it is in.

use std::num::NonZeroUsize;

use ndarray::{Array1, Array2, ArrayView2, ArrayViewD, Axis, Ix3};
use ort::environment::Environment;
use ort::session::{RunOptions, Session};
use ort::value::Tensor;

use super::description::{Description, ModelDirectory};
use super::pooling::{normalize, pool};
use super::{Embedding, Error, Tokens, graph_check, session};

/// Names of the inputs of a transformer graph, as every exporter writes them.
pub mod input {
    /// Token ids: `[batch, sequence]`, or `[tokens]` where there are lengths.
    pub const IDS: &str = "input_ids";
    /// 1 where a token is, 0 where padding is: `[batch, sequence]`.
    pub const MASK: &str = "attention_mask";
    /// Token types, always 0: `[batch, sequence]`.
    pub const TYPES: &str = "token_type_ids";
    /// Tokens of each text, the texts lying one behind the other: `[texts]`.
    pub const LENGTHS: &str = "lengths";
}

/// What the graph's output holds, by the name it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OutputKind {
    /// Unit vectors, `[batch, dimensions]`.
    Vectors,
    /// Token vectors, `[batch, sequence, dimensions]`.
    TokenVectors,
}

/// Name of the output of our own graphs: pooled and normalised, `[batch, dimensions]`.
pub const VECTORS_OUTPUT: &str = "dense_vecs";
const OUTPUTS: [(&str, OutputKind); 3] = [
    (VECTORS_OUTPUT, OutputKind::Vectors),
    ("last_hidden_state", OutputKind::TokenVectors),
    ("token_embeddings", OutputKind::TokenVectors),
];

/// A loaded model.
pub struct Encoder {
    session: Session,
    inputs: Vec<Input>,
    output: (&'static str, OutputKind),
    description: Description,
    // The session must not outlive the environment it was made in.
    _environment: Environment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Ids,
    Mask,
    Types,
    Lengths,
}

impl Encoder {
    /// Loads the graph of a model directory, to be run by `threads` threads. A graph that is damaged is an error.
    pub fn load(
        environment: &Environment,
        directory: &ModelDirectory,
        threads: NonZeroUsize,
    ) -> Result<Self, Error> {
        let origin = graph_check::check(directory)?;
        let session = session::open(environment, &directory.graph, origin, threads)?;
        let refuse = |why: String| Error::NotAModel {
            directory: directory.path.clone(),
            why,
        };
        let inputs = session
            .inputs()
            .iter()
            .map(|outlet| match outlet.name() {
                input::IDS => Ok(Input::Ids),
                input::MASK => Ok(Input::Mask),
                input::TYPES => Ok(Input::Types),
                input::LENGTHS => Ok(Input::Lengths),
                other => Err(refuse(format!(
                    "its graph has an input {other}, which is not known"
                ))),
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
                refuse(format!(
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

    /// What the model is.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The vectors of `batch`, in its order. An empty batch gives no vectors.
    pub fn encode(&mut self, batch: &[&Tokens]) -> Result<Vec<Embedding>, Error> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let tensors = if self.inputs.contains(&Input::Lengths) {
            joined(batch)?
        } else {
            padded(&self.inputs, batch)?
        };
        let options = run_options(batch)?;
        let outputs = self.session.run_with_options(tensors, &options)?;
        let (name, kind) = self.output;
        let output = outputs[name].try_extract_array::<f32>()?;
        let vectors = match kind {
            OutputKind::Vectors => rows(&dimensional(output)?),
            OutputKind::TokenVectors => {
                let token_vectors: ndarray::ArrayView3<'_, f32> = dimensional::<Ix3>(output)?;
                token_vectors
                    .axis_iter(Axis(0))
                    .zip(batch)
                    .map(|(text, tokens)| {
                        normalize(pool(text, tokens.len(), self.description.pooling).view())
                    })
                    .collect()
            }
        };
        check(vectors, batch.len(), self.description.dimensions)
    }
}

/// Tokens of a batch above which its memory is given back at once: keeping what one long text needed would cost more
/// than all the rest of the program, and asking for it again is nothing beside its run.
const KEPT_TOKENS: usize = 2048;

fn run_options(batch: &[&Tokens]) -> ort::Result<RunOptions> {
    let mut options = RunOptions::new()?;
    if batch.iter().map(|tokens| tokens.len()).sum::<usize>() > KEPT_TOKENS {
        options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
    }
    Ok(options)
}

type Named = (&'static str, Tensor<i64>);

/// Texts one behind the other, for a graph that takes their lengths.
fn joined(batch: &[&Tokens]) -> Result<Vec<Named>, Error> {
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

/// Texts one below the other, padded to the longest.
fn padded(inputs: &[Input], batch: &[&Tokens]) -> Result<Vec<Named>, Error> {
    let longest = batch
        .iter()
        .map(|tokens| tokens.len())
        .max()
        .unwrap_or_default();
    let named = inputs.iter().filter_map(|input| {
        // Padding gets mask 0 and never reaches a text's vector, so its id needs only be a valid one.
        let (name, own, padding): (_, fn(u32) -> i64, i64) = match input {
            Input::Ids => (input::IDS, i64::from, PADDING_ID),
            Input::Mask => (input::MASK, |_| 1, 0),
            Input::Types => (input::TYPES, |_| 0, 0),
            Input::Lengths => return None,
        };
        let mut array = Array2::from_elem((batch.len(), longest), padding);
        for (mut row, tokens) in array.rows_mut().into_iter().zip(batch) {
            for (cell, id) in row.iter_mut().zip(tokens.ids()) {
                *cell = own(*id);
            }
        }
        Some(Tensor::from_array(array).map(|tensor| (name, tensor)))
    });
    Ok(named.collect::<ort::Result<_>>()?)
}

/// Both families have an id 1 in every vocabulary, and in XLM-RoBERTa it is the padding's own.
const PADDING_ID: i64 = 1;

fn dimensional<D: ndarray::Dimension>(
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

fn check(
    vectors: Vec<Embedding>,
    texts: usize,
    dimensions: NonZeroUsize,
) -> Result<Vec<Embedding>, Error> {
    let what = if vectors.len() != texts {
        format!("{} vectors for {texts} texts", vectors.len())
    } else if let Some(wrong) = vectors
        .iter()
        .find(|vector| vector.len() != dimensions.get())
    {
        format!("a vector of {} floats instead of {dimensions}", wrong.len())
    } else if vectors
        .iter()
        .flatten()
        .any(|component| !component.is_finite())
    {
        "a vector that is not finite".to_owned()
    } else {
        return Ok(vectors);
    };
    Err(Error::Output { what })
}
