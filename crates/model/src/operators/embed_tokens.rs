//! Token ids to the input rows of the first layer.

use std::marker::PhantomData;

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float16, Float32, Int8, Int64};

use super::sequences::spans;
use super::tensors::{BLOCK_ROWS, Input, RowsOutput, Session, ensure};
use super::{Definition, FLOATS, HIDDEN_STATES, QUANTIZED, Tensors, attribute, form, name};
use half::f16;
use kernels::row_operations::{add_layer_normalization, dequantize_row, widen_row};
use kernels::rows::Normalization;
use kernels::threads::parallel_for_each;

/// An element of the word embeddings, and the operator that takes them.
pub trait Word: Send + Sync + 'static {
    /// The operator's name.
    const OPERATOR: &str;
    /// The operator's inputs.
    const INPUTS: Tensors;
    /// The operator's outputs.
    const OUTPUTS: Tensors;
}

impl Word for f32 {
    const OPERATOR: &str = name::EMBED_TOKENS[0];
    const INPUTS: Tensors = &[Int64, Int64, Float32, Float32, Float32, Float32];
    const OUTPUTS: Tensors = form(HIDDEN_STATES, FLOATS);
}

impl Word for i8 {
    const OPERATOR: &str = name::EMBED_TOKENS[1];
    const INPUTS: Tensors = &[Int64, Int64, Int8, Float32, Float32, Float32, Float32];
    const OUTPUTS: Tensors = form(HIDDEN_STATES, QUANTIZED);
}

impl Word for f16 {
    const OPERATOR: &str = name::EMBED_TOKENS[2];
    const INPUTS: Tensors = &[Int64, Int64, Float16, Float16, Float32, Float32];
    const OUTPUTS: Tensors = form(HIDDEN_STATES, FLOATS);
}

/// See [`name::EMBED_TOKENS`].
pub struct EmbedTokens<W> {
    epsilon: f32,
    padding_id: i64,
    word: PhantomData<W>,
}

impl<W: Word> Definition for EmbedTokens<W> {
    const NAME: &str = W::OPERATOR;
    const INPUTS: Tensors = W::INPUTS;
    const OUTPUTS: Tensors = W::OUTPUTS;

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self {
            epsilon: attribute(kernel, "epsilon")?,
            padding_id: attribute(kernel, "padding_id")?,
            word: PhantomData,
        })
    }
}

impl<W: Word> Kernel for EmbedTokens<W> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let inputs = (0..Self::INPUTS.len())
            .map(|index| Input::of(context, index))
            .collect::<ort::Result<Vec<_>>>()?;
        let ids = inputs[0].values::<i64>()?;
        let spans = spans(inputs[1].values()?, ids.len())?;
        let words = Table::of(&inputs[2], W::INPUTS[2], inputs.get(6))?;
        let places = Table::of(&inputs[3], W::INPUTS[3], None)?;
        let width = inputs[3].width();
        let normalization = Normalization {
            scale: inputs[4].values()?,
            shift: inputs[5].values()?,
            epsilon: self.epsilon,
        };
        let positions = positions(ids, &spans, self.padding_id);
        ensure(
            width > 0
                && normalization.scale.len() == width
                && normalization.shift.len() == width
                && ids.iter().all(|&id| is_within(id, words.rows(width)))
                && positions
                    .iter()
                    .all(|&position| is_within(position, places.rows(width))),
            "a token or its position is beyond its table, or scale and shift do not fit it",
        )?;
        let mut output = RowsOutput::of(context, Self::OUTPUTS, [ids.len(), width])?;
        let tokens = ids.chunks(BLOCK_ROWS).zip(positions.chunks(BLOCK_ROWS));
        let tasks = output.blocks()?.into_iter().zip(tokens);
        parallel_for_each(
            &Session(context),
            tasks,
            ids.len() * width,
            |(block, (ids, positions))| {
                block.write(|floats| {
                    let tokens = ids.iter().zip(positions);
                    let mut place = vec![0.0; width];
                    for (row, (&id, &position)) in floats.chunks_exact_mut(width).zip(tokens) {
                        words.read(id as usize, row);
                        places.read(position as usize, &mut place);
                        add_layer_normalization(&place, normalization, row);
                    }
                });
            },
        )
    }
}

fn is_within(index: i64, rows: usize) -> bool {
    usize::try_from(index).is_ok_and(|index| index < rows)
}

/// A table of embeddings.
enum Table<'a> {
    Floats(&'a [f32]),
    Halves(&'a [f16]),
    /// Bytes, and a scale for each row.
    Quantized(&'a [i8], &'a [f32]),
}

impl<'a> Table<'a> {
    /// A table of this element type; one of bytes needs scales.
    fn of(
        table: &'a Input<'_>,
        element: TensorElementType,
        scales: Option<&'a Input<'_>>,
    ) -> ort::Result<Self> {
        Ok(match scales {
            Some(scales) => Self::Quantized(table.values()?, scales.values()?),
            None if element == Float16 => Self::Halves(table.values()?),
            None => Self::Floats(table.values()?),
        })
    }

    /// Number of embeddings.
    fn rows(&self, width: usize) -> usize {
        match self {
            Self::Floats(table) => table.len() / width,
            Self::Halves(table) => table.len() / width,
            Self::Quantized(table, scales) => scales.len().min(table.len() / width),
        }
    }

    /// Writes an embedding into `row`.
    fn read(&self, index: usize, row: &mut [f32]) {
        let width = row.len();
        let start = index * width;
        match self {
            Self::Floats(table) => row.copy_from_slice(&table[start..][..width]),
            Self::Halves(table) => widen_row(&table[start..][..width], row),
            Self::Quantized(table, scales) => {
                dequantize_row(&table[start..][..width], scales[index], row);
            }
        }
    }
}

/// The row of the position table for each token.
fn positions(ids: &[i64], spans: &[(usize, usize)], padding_id: i64) -> Vec<i64> {
    let mut positions = Vec::with_capacity(ids.len());
    for &(start, end) in spans {
        let mut next = 0;
        for &id in &ids[start..end] {
            // XLM-RoBERTa counts from the id after the padding id, and does not count padding tokens within a sequence.
            if padding_id >= 0 && id == padding_id {
                positions.push(padding_id);
            } else {
                positions.push(next + padding_id + 1);
                next += 1;
            }
        }
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_start_again_in_every_sequence_and_do_not_count_padding() {
        let spans = [(0, 3), (3, 7)];
        assert_eq!(
            positions(&[0, 5, 2, 0, 1, 6, 2], &spans, 1),
            [2, 3, 4, 2, 1, 3, 4]
        );
        assert_eq!(
            positions(&[0, 5, 2, 0, 1, 6, 2], &spans, -1),
            [0, 1, 2, 0, 1, 2, 3]
        );
    }
}
