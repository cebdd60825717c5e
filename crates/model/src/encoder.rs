//! Batches of tokens to vectors, by one run of the ONNX session.
//!
//! Owns the session and the names of a graph's inputs and outputs. What a text is turned into is finite, its vectors have
//! length 1, and it does not depend on the batch: neither on the other texts, nor on what they ask for, nor on whether
//! they fail.

use std::num::NonZeroUsize;

use ndarray::{Array1, Array2};
use ort::environment::Environment;
use ort::session::{RunOptions, Session};
use ort::value::Tensor;

use crate::batch_layout::BatchLayout;
use crate::description::{Description, ModelDirectory};
use crate::error::Error;
use crate::output_rows::OutputRows;
use crate::outputs::{Embedding, Encoded, Output, Outputs};
use crate::tokenizer::Tokens;
use crate::{graph_check, session};

/// A text to encode, and what it is turned into.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// Its tokens.
    pub tokens: &'a Tokens,
    /// The outputs that are asked for.
    pub outputs: Outputs,
}

/// Names of the inputs of a transformer graph.
pub mod input {
    /// Token ids: `[batch, sequence]`, or `[tokens]` in a graph with [`LENGTHS`].
    pub const IDS: &str = "input_ids";
    /// 1 for a token, 0 for padding: `[batch, sequence]`.
    pub const MASK: &str = "attention_mask";
    /// Token types, always 0: `[batch, sequence]`.
    pub const TYPES: &str = "token_type_ids";
    /// Numbers of tokens of concatenated sequences: `[texts]`. Only graphs exported by this crate have it, and the others
    /// below.
    pub const LENGTHS: &str = "lengths";
    /// How many of each text's first tokens the last layer computes: `[texts]`.
    pub const QUERIES: &str = "queries";
    /// 1 for each text that a dense vector is made of, 0 for the others: `[texts]`.
    pub const DENSE: &str = "dense";
    /// All tokens of each text that gets sparse weights, 0 for the others: `[texts]`.
    pub const SPARSE: &str = "sparse";
    /// All tokens of each text that gets ColBERT vectors, 0 for the others: `[texts]`.
    pub const COLBERT: &str = "colbert";
}

const INPUTS: [&str; 8] = [
    input::IDS,
    input::MASK,
    input::TYPES,
    input::LENGTHS,
    input::QUERIES,
    input::DENSE,
    input::SPARSE,
    input::COLBERT,
];

/// What a graph outputs for dense vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// Unit vectors, `[batch, dimensions]`.
    Vectors,
    /// Token vectors, `[batch, sequence, dimensions]`.
    TokenVectors,
}

/// Name of the output of graphs exported by this crate: unit vectors, `[batch, dimensions]`.
pub const VECTORS_OUTPUT: &str = "dense_vecs";
/// Name of the sparse weights of graphs with that head: `[tokens]`, of the texts that ask for them.
pub const SPARSE_OUTPUT: &str = "sparse_weights";
/// Name of the ColBERT vectors of graphs with that head: `[tokens, dimensions]`, of the texts that ask for them.
pub const COLBERT_OUTPUT: &str = "colbert_vecs";
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

    /// How a batch enters the graph.
    pub fn layout(&self) -> BatchLayout {
        if self.inputs.contains(&input::LENGTHS) {
            BatchLayout::Concatenated
        } else {
            BatchLayout::Padded
        }
    }

    /// What the model gives.
    pub fn outputs(&self) -> Outputs {
        self.description.outputs()
    }

    /// The outputs of `batch`, in its order; none for an empty batch.
    ///
    /// An error of the whole run concerns every text; a text whose own values are not finite has an error of its own.
    /// Every text must ask for some of [`outputs`](Self::outputs).
    pub fn encode_each(
        &mut self,
        batch: &[Text<'_>],
    ) -> Result<Vec<Result<Encoded, Error>>, Error> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let tensors = match self.layout() {
            BatchLayout::Concatenated => concatenated(&self.inputs, batch)?,
            BatchLayout::Padded => padded(&self.inputs, batch)?,
        };
        let options = run_options(batch)?;
        let outputs = self.session.run_with_options(tensors, &options)?;
        let mut rows = OutputRows::of(&outputs, self.output, batch, &self.description)?;
        Ok(batch.iter().map(|text| rows.next(text)).collect())
    }

    /// Runs the model once, so that its weights are in memory. It needs no tokenizer, which may be loading meanwhile.
    ///
    /// An error if the vector of the vocabulary's first token is not finite.
    pub fn warm_up(&mut self) -> Result<(), Error> {
        self.encode(&[&Tokens::of_first_id()]).map(drop)
    }

    /// The dense vectors of `batch`, in its order; the first text that has none is an error.
    pub fn encode(&mut self, batch: &[&Tokens]) -> Result<Vec<Embedding>, Error> {
        let outputs = Outputs::DENSE;
        let texts: Vec<_> = batch
            .iter()
            .map(|&tokens| Text { tokens, outputs })
            .collect();
        let encoded = self.encode_each(&texts)?;
        encoded
            .into_iter()
            .map(|encoded| Ok(encoded?.dense.unwrap_or_default()))
            .collect()
    }
}

/// After a batch of more tokens the memory arena is shrunk: what one long text needed is more than the rest of the program
/// needs, and allocating it again takes little time compared with such a run.
const TOKENS_WITHOUT_SHRINKING: usize = 2048;

fn run_options(batch: &[Text<'_>]) -> ort::Result<RunOptions> {
    let mut options = RunOptions::new()?;
    if batch.iter().map(|text| text.tokens.len()).sum::<usize>() > TOKENS_WITHOUT_SHRINKING {
        options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
    }
    Ok(options)
}

type NamedTensor = (&'static str, Tensor<i64>);

/// Concatenated sequences without padding, their lengths, and what the outputs need of each.
fn concatenated(inputs: &[&'static str], batch: &[Text<'_>]) -> Result<Vec<NamedTensor>, Error> {
    let named = inputs.iter().map(|&name| {
        let values: Array1<i64> = if name == input::IDS {
            let ids = batch.iter().flat_map(|text| text.tokens.ids());
            ids.map(|&id| i64::from(id)).collect()
        } else {
            batch.iter().map(|text| count(name, *text) as i64).collect()
        };
        Ok((name, Tensor::from_array(values)?))
    });
    Ok(named.collect::<ort::Result<_>>()?)
}

/// What the input `name` says of a text.
fn count(name: &str, Text { tokens, outputs }: Text<'_>) -> usize {
    let if_asked = |output, count| if outputs.has(output) { count } else { 0 };
    match name {
        input::QUERIES if !outputs.needs_all_tokens() => 1,
        input::DENSE => if_asked(Output::Dense, 1),
        input::SPARSE => if_asked(Output::Sparse, tokens.len()),
        input::COLBERT => if_asked(Output::Colbert, tokens.len()),
        _ => tokens.len(),
    }
}

/// One sequence a row, padded to the longest.
fn padded(inputs: &[&'static str], batch: &[Text<'_>]) -> Result<Vec<NamedTensor>, Error> {
    let longest = batch
        .iter()
        .map(|text| text.tokens.len())
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
        for (mut row, text) in array.rows_mut().into_iter().zip(batch) {
            for (cell, id) in row.iter_mut().zip(text.tokens.ids()) {
                *cell = of_token(*id);
            }
        }
        Ok((name, Tensor::from_array(array)?))
    });
    Ok(named.collect::<ort::Result<_>>()?)
}

/// Valid in every vocabulary, and XLM-RoBERTa's id of the padding token.
const PADDING_ID: i64 = 1;
