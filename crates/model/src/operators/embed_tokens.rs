//! Token ids to the input rows of the first layer.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{Float32, Int8, Int64};

use super::sequences::spans;
use super::tensors::{BLOCK_ROWS, Input, RowsOutput, Session, ensure};
use super::{Definition, HIDDEN_STATES, Tensors, attribute, form, name};
use kernels::row_operations::{add_layer_normalization, dequantize_row};
use kernels::rows::Normalization;
use kernels::threads::parallel_for_each;

/// See [`name::EMBED_TOKENS`].
pub struct EmbedTokens<const QUANTIZED: bool> {
    epsilon: f32,
    padding_id: i64,
}

impl<const QUANTIZED: bool> Definition for EmbedTokens<QUANTIZED> {
    const NAME: &str = form(name::EMBED_TOKENS, QUANTIZED);
    const INPUTS: Tensors = if QUANTIZED {
        &[Int64, Int64, Int8, Float32, Float32, Float32, Float32]
    } else {
        &[Int64, Int64, Float32, Float32, Float32, Float32]
    };
    const OUTPUTS: Tensors = form(HIDDEN_STATES, QUANTIZED);

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self {
            epsilon: attribute(kernel, "epsilon")?,
            padding_id: attribute(kernel, "padding_id")?,
        })
    }
}

impl<const QUANTIZED: bool> Kernel for EmbedTokens<QUANTIZED> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let inputs = (0..Self::INPUTS.len())
            .map(|index| Input::of(context, index))
            .collect::<ort::Result<Vec<_>>>()?;
        let ids = inputs[0].values::<i64>()?;
        let spans = spans(inputs[1].values()?, ids.len())?;
        let words = Words::of(&inputs[2], inputs.get(6))?;
        let (table, width) = inputs[3].rows::<f32>()?;
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
                    .all(|&position| is_within(position, table.len() / width)),
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
                    for (row, (&id, &position)) in floats.chunks_exact_mut(width).zip(tokens) {
                        words.read(id as usize, row);
                        let position = &table[position as usize * width..][..width];
                        add_layer_normalization(position, normalization, row);
                    }
                });
            },
        )
    }
}

fn is_within(index: i64, rows: usize) -> bool {
    usize::try_from(index).is_ok_and(|index| index < rows)
}

/// The table of word embeddings.
enum Words<'a> {
    Floats(&'a [f32]),
    /// Bytes, and a scale for each row.
    Quantized(&'a [i8], &'a [f32]),
}

impl<'a> Words<'a> {
    fn of(words: &'a Input<'_>, scales: Option<&'a Input<'_>>) -> ort::Result<Self> {
        Ok(match scales {
            None => Self::Floats(words.values()?),
            Some(scales) => Self::Quantized(words.values()?, scales.values()?),
        })
    }

    /// Number of words.
    fn rows(&self, width: usize) -> usize {
        match self {
            Self::Floats(words) => words.len() / width,
            Self::Quantized(words, scales) => scales.len().min(words.len() / width),
        }
    }

    /// Writes a word's embedding into `row`.
    fn read(&self, id: usize, row: &mut [f32]) {
        let width = row.len();
        match self {
            Self::Floats(words) => row.copy_from_slice(&words[id * width..][..width]),
            Self::Quantized(words, scales) => {
                dequantize_row(&words[id * width..][..width], scales[id], row);
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
