//! What one run of a graph gave, taken apart text by text.
//!
//! Owns the shapes of a graph's outputs. A text's part is checked alone, so one text whose values are not finite takes
//! nothing from the others of its batch.

use ndarray::{Array2, ArrayView, ArrayView1, ArrayView2, ArrayView3, ArrayViewD, Axis, Dimension};
use ort::session::SessionOutputs;

use crate::description::Description;
use crate::encoder::{COLBERT_OUTPUT, OutputKind, SPARSE_OUTPUT, Text};
use crate::error::Error;
use crate::outputs::{Embedding, Encoded, Output, SparseEmbedding};
use crate::pooling::pool;
use kernels::row_operations::l2_normalize;

/// The rows of every output, of which [`next`](Self::next) takes one text's.
pub struct OutputRows<'a> {
    description: &'a Description,
    dense: Dense<'a>,
    /// A weight for each token.
    sparse: Option<ArrayView1<'a, f32>>,
    /// A vector for each token but each text's first.
    colbert: Option<ArrayView2<'a, f32>>,
}

/// What dense vectors are made of.
enum Dense<'a> {
    /// Unit vectors.
    Vectors(ArrayView2<'a, f32>),
    /// Token vectors, padded to the longest text.
    TokenVectors(ArrayView3<'a, f32>),
}

impl<'a> OutputRows<'a> {
    /// The outputs of a run of `batch`; an error if they do not have the shapes that follow from the batch and the model.
    pub fn of(
        outputs: &'a SessionOutputs<'_>,
        (name, kind): (&str, OutputKind),
        batch: &[Text<'_>],
        description: &'a Description,
    ) -> Result<Self, Error> {
        let output = |name: &str| outputs[name].try_extract_array::<f32>();
        let rows = |output: Output| batch.iter().map(move |text| rows_of(text, output)).sum();
        let dimensions = description.dimensions.get();
        let dense = match kind {
            OutputKind::Vectors => {
                let shape = [rows(Output::Dense), dimensions];
                Dense::Vectors(with_shape(output(name)?, &shape)?)
            }
            OutputKind::TokenVectors => {
                let longest = batch.iter().map(|text| text.tokens.len()).max();
                let shape = [batch.len(), longest.unwrap_or_default(), dimensions];
                Dense::TokenVectors(with_shape(output(name)?, &shape)?)
            }
        };
        let heads = description.output_heads();
        let sparse = heads.sparse.then_some(SPARSE_OUTPUT);
        let sparse = sparse.map(|name| with_shape(output(name)?, &[rows(Output::Sparse)]));
        let colbert = heads.colbert.map(|size| {
            let shape = [rows(Output::Colbert), size.get()];
            with_shape(output(COLBERT_OUTPUT)?, &shape)
        });
        Ok(Self {
            description,
            dense,
            sparse: sparse.transpose()?,
            colbert: colbert.transpose()?,
        })
    }

    /// What the next text of the batch was turned into; an error if a value of it is not finite.
    pub fn next(&mut self, text: &Text<'_>) -> Result<Encoded, Error> {
        // All rows of the text are taken before any is checked, because those of the next text follow.
        let dense = self.dense(text);
        let weights = take(&mut self.sparse, text, Output::Sparse);
        let colbert = take(&mut self.colbert, text, Output::Colbert);
        let values = dense.iter().flatten();
        let values = values.chain(weights.iter().flatten());
        if !values
            .chain(colbert.iter().flatten())
            .all(|value| value.is_finite())
        {
            return Err(Error::Output {
                what: "a value that is not finite".to_owned(),
            });
        }
        let heads = self.description.heads.as_ref();
        let dropped = heads.map_or(&[][..], |heads| &heads.tokens_without_weight);
        Ok(Encoded {
            dense,
            sparse: weights.map(|weights| {
                SparseEmbedding::of_tokens(text.tokens.ids(), &weights.to_vec(), dropped)
            }),
            // A view without rows, which a text of one token has, keeps strides that `to_owned` does not take.
            colbert: colbert.map(|rows| Array2::from_shape_fn(rows.dim(), |place| rows[place])),
        })
    }

    fn dense(&mut self, text: &Text<'_>) -> Option<Embedding> {
        match &mut self.dense {
            Dense::Vectors(vectors) => {
                let vector = take_rows(vectors, rows_of(text, Output::Dense));
                vector.rows().into_iter().next().map(|row| row.to_vec())
            }
            Dense::TokenVectors(token_vectors) => {
                let row = take_rows(token_vectors, 1);
                let row = row.index_axis(Axis(0), 0);
                let pooling = self.description.pooling;
                let mut vector = pool(row, text.tokens.len(), pooling).to_vec();
                l2_normalize(&mut vector);
                Some(vector)
            }
        }
    }
}

/// Rows of an output that belong to a text.
fn rows_of(text: &Text<'_>, output: Output) -> usize {
    match output {
        _ if !text.outputs.has(output) => 0,
        Output::Dense => 1,
        Output::Sparse => text.tokens.len(),
        Output::Colbert => text.tokens.len() - 1,
    }
}

/// Takes the text's rows of an output, if it asks for it and the model has it.
fn take<'a, D: Dimension>(
    rows: &mut Option<ArrayView<'a, f32, D>>,
    text: &Text<'_>,
    output: Output,
) -> Option<ArrayView<'a, f32, D>> {
    let rows = rows.as_mut().filter(|_| text.outputs.has(output))?;
    Some(take_rows(rows, rows_of(text, output)))
}

fn take_rows<'a, D: Dimension>(
    rows: &mut ArrayView<'a, f32, D>,
    count: usize,
) -> ArrayView<'a, f32, D> {
    let (taken, rest) = rows.clone().split_at(Axis(0), count);
    *rows = rest;
    taken
}

/// An output in the shape that it must have.
fn with_shape<'a, D: Dimension>(
    output: ArrayViewD<'a, f32>,
    shape: &[usize],
) -> Result<ArrayView<'a, f32, D>, Error> {
    let found = output.shape().to_vec();
    let output = output.into_dimensionality().ok();
    output
        .filter(|_| found == shape)
        .ok_or_else(|| Error::Output {
            what: format!("a tensor of shape {found:?} instead of {shape:?}"),
        })
}
