//! Attention over the texts of a batch.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Int64};

use super::tensors::{BLOCK_ROWS, Input, Output, RowsOutput, Session, ensure, multiplied};
use super::texts::spans;
use super::{Definition, FLOAT_ROWS, ROUNDED_ROWS, integer, name, width};
use kernels::attention::{Head, attend};
use kernels::panels::Product;
use kernels::sharing::share;

/// See [`name::ATTEND`] and [`name::ATTEND_ROUND`].
pub struct Attend<const ROUNDED: bool> {
    width: usize,
    heads: usize,
    first_only: bool,
}

impl<const ROUNDED: bool> Definition for Attend<ROUNDED> {
    const NAME: &str = if ROUNDED {
        name::ATTEND_ROUND
    } else {
        name::ATTEND
    };
    const INPUTS: &[TensorElementType] = &[Float32, Int64];
    const OUTPUTS: &[TensorElementType] = if ROUNDED { ROUNDED_ROWS } else { FLOAT_ROWS };

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        let width = width(kernel)?;
        let heads = integer(kernel, "heads")?.max(1) as usize;
        ensure(
            width.is_multiple_of(3 * heads),
            "heads do not divide a projection",
        )?;
        Ok(Self {
            width,
            heads,
            first_only: integer(kernel, "first_only")? == 1,
        })
    }
}

impl<const ROUNDED: bool> Kernel for Attend<ROUNDED> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let (product, lengths) = (Input::of(context, 0)?, Input::of(context, 1)?);
        let product = multiplied(&product, self.width)?;
        let spans = spans(lengths.values()?, product.rows())?;
        let sizes = [
            spans.iter().map(|span| self.queries(span)).sum(),
            product.width() / 3,
        ];
        if !ROUNDED {
            let mut output = Output::of(context, 0, &sizes)?;
            return self.attend(context, &product, &spans, output.values()?);
        }
        let [rows, hidden] = sizes;
        let mut context_rows = vec![0.0; rows * hidden];
        self.attend(context, &product, &spans, &mut context_rows)?;
        let mut output = RowsOutput::of(context, Self::OUTPUTS, sizes)?;
        let blocks = context_rows.chunks(BLOCK_ROWS * hidden);
        let tasks = output.blocks()?.into_iter().zip(blocks);
        share(&Session(context), tasks, rows * hidden, |(block, rows)| {
            block.write(|floats| floats.copy_from_slice(rows));
        })
    }
}

impl<const ROUNDED: bool> Attend<ROUNDED> {
    /// Tokens of a text that ask.
    fn queries(&self, &(start, end): &(usize, usize)) -> usize {
        if self.first_only { 1 } else { end - start }
    }

    /// All heads of all texts, into a row for each token that asks.
    fn attend(
        &self,
        context: &ComputeContext,
        product: &Product<'_>,
        spans: &[(usize, usize)],
        floats: &mut [f32],
    ) -> ort::Result<()> {
        let hidden = product.width() / 3;
        let scores: usize = spans
            .iter()
            .map(|span| self.queries(span) * (span.1 - span.0))
            .sum();
        let mut rest = floats.chunks_exact_mut(hidden);
        let heads = spans.iter().flat_map(|span| {
            let own = rest.by_ref().take(self.queries(span)).collect();
            heads_of(*span, own, hidden / self.heads)
        });
        // A score costs two products as long as a head, of which a processor does many at once.
        let cost = product.rows() * hidden + scores * hidden / 8;
        share(&Session(context), heads, cost, |head| attend(product, head))
    }
}

/// The heads of one text, each with its columns of the text's rows.
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
