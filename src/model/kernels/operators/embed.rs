//! Token ids to the first layer's rows.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Int8, Int64, Uint8};

use super::texts::spans;
use super::{Definition, float, integer, name};
use crate::model::kernels::passes::embed;
use crate::model::kernels::rows::Normalization;
use crate::model::kernels::sharing::share;
use crate::model::kernels::tensors::{BLOCK_ROWS, Input, Output, RoundedOutput, ensure};

/// See [`name::EMBED`].
pub struct Embed {
    epsilon: f32,
    padding_id: i64,
}

impl Definition for Embed {
    const NAME: &str = name::EMBED;
    const INPUTS: &[TensorElementType] = &[Int64, Int64, Int8, Float32, Float32, Float32, Float32];
    const OUTPUTS: &[TensorElementType] = &[Float32, Uint8, Float32];

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self {
            epsilon: float(kernel, "epsilon")?,
            padding_id: integer(kernel, "padding_id")?,
        })
    }
}

impl Kernel for Embed {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let inputs = (0..7)
            .map(|index| Input::of(context, index))
            .collect::<ort::Result<Vec<_>>>()?;
        let ids = inputs[0].values::<i64>()?;
        let spans = spans(inputs[1].values()?, ids.len())?;
        let (words, width) = inputs[2].rows::<i8>()?;
        let word_scales = inputs[3].values::<f32>()?;
        let table = inputs[4].values::<f32>()?;
        let normalization = Normalization {
            scale: inputs[5].values()?,
            shift: inputs[6].values()?,
            epsilon: self.epsilon,
        };
        let positions = positions(ids, &spans, self.padding_id);
        let known =
            |index: i64, rows: usize| usize::try_from(index).is_ok_and(|index| index < rows);
        ensure(
            width > 0
                && ids.iter().all(|&id| known(id, word_scales.len()))
                && positions
                    .iter()
                    .all(|&position| known(position, table.len() / width)),
            "a token or its position is beyond its table",
        )?;
        let mut floats = Output::of(context, 0, &[ids.len(), width])?;
        let mut rounded = RoundedOutput::of(context, 1, [ids.len(), width])?;
        let blocks = floats.values::<f32>()?.chunks_mut(BLOCK_ROWS * width);
        let tokens = ids.chunks(BLOCK_ROWS).zip(positions.chunks(BLOCK_ROWS));
        let tasks = blocks.zip(rounded.blocks()?).zip(tokens);
        share(
            context,
            tasks,
            ids.len() * width,
            |((block, rounded), (ids, positions))| {
                let tokens = ids.iter().zip(positions);
                for (row, (&id, &position)) in block.chunks_exact_mut(width).zip(tokens) {
                    let (id, position) = (id as usize, position as usize);
                    let word = (&words[id * width..][..width], word_scales[id]);
                    let position = &table[position * width..][..width];
                    embed(word, position, normalization, row);
                }
                rounded.set(block);
            },
        )
    }
}

/// The row of the position table for each token.
fn positions(ids: &[i64], spans: &[(usize, usize)], padding_id: i64) -> Vec<i64> {
    let mut positions = Vec::with_capacity(ids.len());
    for &(start, end) in spans {
        let mut next = 0;
        for &id in &ids[start..end] {
            // XLM-RoBERTa counts from behind the padding id, and leaves a text's own padding tokens uncounted.
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
    fn positions_begin_anew_in_every_text_and_leave_padding_uncounted() {
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
