//! Attention over the texts of a batch, and the rounding for the next product.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Int64, Uint8};

use super::texts::spans;
use super::{Definition, integer, name, width};
use crate::model::kernels::attention::{Head, attend};
use crate::model::kernels::panels::Product;
use crate::model::kernels::sharing::share;
use crate::model::kernels::tensors::{BLOCK_ROWS, Input, RoundedOutput, ensure};

/// See [`name::ATTEND`].
pub struct Attend {
    width: usize,
    heads: usize,
    first_only: bool,
}

impl Definition for Attend {
    const NAME: &str = name::ATTEND;
    const INPUTS: &[TensorElementType] = &[Float32, Int64];
    const OUTPUTS: &[TensorElementType] = &[Uint8, Float32];

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

impl Kernel for Attend {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let (product, lengths) = (Input::of(context, 0)?, Input::of(context, 1)?);
        let product = Product::of(&product, self.width)?;
        let spans = spans(lengths.values()?, product.rows())?;
        let hidden = product.width() / 3;
        let queries =
            |&(start, end): &(usize, usize)| if self.first_only { 1 } else { end - start };
        let rows = spans.iter().map(queries).sum();
        let scores: usize = spans
            .iter()
            .map(|span| queries(span) * (span.1 - span.0))
            .sum();
        let mut floats = vec![0.0; rows * hidden];
        let mut rest = floats.chunks_exact_mut(hidden);
        let heads = spans.iter().flat_map(|span| {
            let own = rest.by_ref().take(queries(span)).collect();
            heads_of(*span, own, hidden / self.heads)
        });
        // A score costs two products as long as a head, of which a processor does many at once.
        let cost = product.rows() * hidden + scores * hidden / 8;
        share(context, heads, cost, |head| attend(&product, head))?;
        let mut rounded = RoundedOutput::of(context, 0, [rows, hidden])?;
        let blocks = floats.chunks_mut(BLOCK_ROWS * hidden);
        let tasks = blocks.zip(rounded.blocks()?);
        share(context, tasks, rows * hidden, |(block, rounded)| {
            rounded.set(block)
        })
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
