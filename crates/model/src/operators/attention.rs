//! Self-attention within each sequence of a batch.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{Float32, Int64};

use super::sequences::{counts, spans};
use super::tensors::{BLOCK_ROWS, Input, Output, RowsOutput, Session, ensure, panels};
use super::{ACTIVATIONS, Definition, Tensors, attribute, form, name, width};
use kernels::attention::{Head, attend};
use kernels::gemm::panel_matrix::PanelMatrix;
use kernels::threads::parallel_for_each;

/// See [`name::ATTENTION`].
pub struct Attention<const QUANTIZED: bool> {
    width: usize,
    heads: usize,
}

impl<const QUANTIZED: bool> Definition for Attention<QUANTIZED> {
    const NAME: &str = form(name::ATTENTION, QUANTIZED);
    const INPUTS: Tensors = &[Float32, Int64, Int64];
    const OUTPUTS: Tensors = form(ACTIVATIONS, QUANTIZED);

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        let width = width(kernel)?;
        let heads = usize::try_from(attribute::<i64>(kernel, "heads")?).unwrap_or(0);
        let hidden = width / 3;
        ensure(
            width.is_multiple_of(3) && heads > 0 && hidden > 0 && hidden.is_multiple_of(heads),
            "attribute heads does not divide a third of the width",
        )?;
        Ok(Self { width, heads })
    }
}

impl<const QUANTIZED: bool> Kernel for Attention<QUANTIZED> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let (product, lengths) = (Input::of(context, 0)?, Input::of(context, 1)?);
        let product = panels(&product, self.width)?;
        let spans = spans(lengths.values()?, product.rows())?;
        let queries = Input::of(context, 2)?;
        let queries = counts(queries.values()?, &spans)?;
        let sequences: Vec<_> = spans.into_iter().zip(queries).collect();
        let sizes = [
            sequences.iter().map(|(_, queries)| queries).sum(),
            product.width() / 3,
        ];
        if !QUANTIZED {
            let mut output = Output::of(context, 0, &sizes)?;
            return self.attend(context, &product, &sequences, output.values()?);
        }
        let [rows, hidden] = sizes;
        let mut context_rows = vec![0.0; rows * hidden];
        self.attend(context, &product, &sequences, &mut context_rows)?;
        let mut output = RowsOutput::of(context, Self::OUTPUTS, sizes)?;
        let blocks = context_rows.chunks(BLOCK_ROWS * hidden);
        let tasks = output.blocks()?.into_iter().zip(blocks);
        parallel_for_each(&Session(context), tasks, rows * hidden, |(block, rows)| {
            block.write(|floats| floats.copy_from_slice(rows));
        })
    }
}

impl<const QUANTIZED: bool> Attention<QUANTIZED> {
    /// All heads of all sequences, each given with its number of query positions, into a row for each of these.
    fn attend(
        &self,
        context: &ComputeContext,
        product: &PanelMatrix<'_>,
        sequences: &[((usize, usize), usize)],
        floats: &mut [f32],
    ) -> ort::Result<()> {
        let hidden = product.width() / 3;
        let scores: usize = sequences
            .iter()
            .map(|((start, end), queries)| queries * (end - start))
            .sum();
        let mut rest = floats.chunks_exact_mut(hidden);
        let heads = sequences.iter().flat_map(|&(span, queries)| {
            let own = rest.by_ref().take(queries).collect();
            heads_of(span, own, hidden / self.heads)
        });
        // A score costs two dot products of a head's size, and vector instructions compute many at once.
        let cost = product.rows() * hidden + scores * hidden / 8;
        parallel_for_each(&Session(context), heads, cost, |head| attend(product, head))
    }
}

/// The heads of one sequence, each with its columns of the sequence's rows.
fn heads_of((start, end): (usize, usize), rows: Vec<&mut [f32]>, size: usize) -> Vec<Head<'_>> {
    let heads = rows.first().map_or(0, |row| row.len() / size);
    let mut tasks: Vec<Head<'_>> = (0..heads)
        .map(|head| Head {
            start,
            tokens: end - start,
            column: head * size,
            context: Vec::with_capacity(rows.len()),
        })
        .collect();
    for row in rows {
        for (task, columns) in tasks.iter_mut().zip(row.chunks_exact_mut(size)) {
            task.context.push(columns);
        }
    }
    tasks
}
