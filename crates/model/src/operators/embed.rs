//! Token ids to the first layer's rows.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Int8, Int64};

use super::tensors::{BLOCK_ROWS, Input, RowsOutput, Session, ensure};
use super::texts::spans;
use super::{BOTH_ROWS, Definition, FLOAT_ROWS, float, integer, name};
use kernels::passes::{add_normalize, widen};
use kernels::rows::Normalization;
use kernels::sharing::share;

/// See [`name::EMBED`] and [`name::EMBED_ROUND`].
pub struct Embed<const ROUNDED: bool> {
    epsilon: f32,
    padding_id: i64,
}

impl<const ROUNDED: bool> Definition for Embed<ROUNDED> {
    const NAME: &str = if ROUNDED {
        name::EMBED_ROUND
    } else {
        name::EMBED
    };
    const INPUTS: &[TensorElementType] = if ROUNDED {
        &[Int64, Int64, Int8, Float32, Float32, Float32, Float32]
    } else {
        &[Int64, Int64, Float32, Float32, Float32, Float32]
    };
    const OUTPUTS: &[TensorElementType] = if ROUNDED { BOTH_ROWS } else { FLOAT_ROWS };

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self {
            epsilon: float(kernel, "epsilon")?,
            padding_id: integer(kernel, "padding_id")?,
        })
    }
}

impl<const ROUNDED: bool> Kernel for Embed<ROUNDED> {
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
                && ids.iter().all(|&id| is_within(id, words.rows(width)))
                && positions
                    .iter()
                    .all(|&position| is_within(position, table.len() / width)),
            "a token or its position is beyond its table",
        )?;
        let mut output = RowsOutput::of(context, Self::OUTPUTS, [ids.len(), width])?;
        let tokens = ids.chunks(BLOCK_ROWS).zip(positions.chunks(BLOCK_ROWS));
        let tasks = output.blocks()?.into_iter().zip(tokens);
        share(
            &Session(context),
            tasks,
            ids.len() * width,
            |(block, (ids, positions))| {
                block.write(|floats| {
                    let tokens = ids.iter().zip(positions);
                    for (row, (&id, &position)) in floats.chunks_exact_mut(width).zip(tokens) {
                        words.read(id as usize, row);
                        let position = &table[position as usize * width..][..width];
                        add_normalize(position, normalization, row);
                    }
                });
            },
        )
    }
}

fn is_within(index: i64, rows: usize) -> bool {
    usize::try_from(index).is_ok_and(|index| index < rows)
}

/// The word table.
enum Words<'a> {
    Floats(&'a [f32]),
    /// Bytes, and a scale for each row.
    Rounded(&'a [i8], &'a [f32]),
}

impl<'a> Words<'a> {
    fn of(words: &'a Input<'_>, scales: Option<&'a Input<'_>>) -> ort::Result<Self> {
        Ok(match scales {
            None => Self::Floats(words.values()?),
            Some(scales) => Self::Rounded(words.values()?, scales.values()?),
        })
    }

    /// Number of words.
    fn rows(&self, width: usize) -> usize {
        match self {
            Self::Floats(words) => words.len() / width,
            Self::Rounded(words, scales) => scales.len().min(words.len() / width),
        }
    }

    /// Reads a word's row.
    fn read(&self, id: usize, row: &mut [f32]) {
        let width = row.len();
        match self {
            Self::Floats(words) => row.copy_from_slice(&words[id * width..][..width]),
            Self::Rounded(words, scales) => {
                widen(&words[id * width..][..width], scales[id], row);
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
