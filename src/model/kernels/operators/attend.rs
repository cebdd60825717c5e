//! Attention over the texts of a batch, and the rounding for the next product.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Int32, Int64, Uint8};

use super::texts::spans;
use super::{Definition, integer, name};
use crate::model::kernels::attention::{Head, attend};
use crate::model::kernels::tensors::{
    Input, OwnedColumns, ProductInputs, RoundedOutput, ensure, share,
};

/// See [`name::ATTEND`].
pub struct Attend {
    columns: OwnedColumns,
    heads: usize,
    first_only: bool,
    levels: u8,
}

impl Definition for Attend {
    const NAME: &str = name::ATTEND;
    const INPUTS: &[TensorElementType] = &[Int32, Float32, Int64, Float32, Int32, Float32];
    const OUTPUTS: &[TensorElementType] = &[Uint8, Float32];

    fn new(kernel: &KernelContext<'_>, levels: u8) -> ort::Result<Self> {
        let columns = OwnedColumns::of(kernel, 3)?;
        let heads = integer(kernel, "heads")?.max(1) as usize;
        ensure(
            columns.width().is_multiple_of(3 * heads),
            "heads do not divide a projection",
        )?;
        Ok(Self {
            columns,
            heads,
            first_only: integer(kernel, "first_only")? == 1,
            levels,
        })
    }
}

impl Kernel for Attend {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let inputs = ProductInputs::of(context)?;
        let product = inputs.product(&self.columns)?;
        let lengths = Input::of(context, 2)?;
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
        let tasks = floats.chunks_exact(hidden).zip(rounded.rows()?);
        share(context, tasks, rows * hidden, |(row, rounded)| {
            rounded.set(row, self.levels)
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
