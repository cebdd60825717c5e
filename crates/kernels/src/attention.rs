//! Self-attention within each sequence.
//!
//! Sequences are concatenated without padding, so there is no mask, and a sequence never sees another. One task is one
//! head of one sequence. Scores are held for one block of query positions at a time, so memory grows linearly with the
//! length of a sequence.

use std::cell::RefCell;

use crate::gemm::panel_matrix::PanelMatrix;
use crate::row_operations::{multiply, softmax};
use crate::rows::{Block, LANES, Strided};

/// Query positions whose scores are held at one time.
const QUERY_BLOCK: usize = 64;

/// One head of one sequence.
pub struct Head<'a> {
    /// The sequence's first token.
    pub start: usize,
    /// Number of its tokens.
    pub tokens: usize,
    /// First column of the head.
    pub column: usize,
    /// The output: the head's columns for each query position.
    pub context: Vec<&'a mut [f32]>,
}

#[derive(Default)]
struct Scratch {
    rows: Vec<f32>,
    queries: Vec<f32>,
    /// The keys transposed: for every block of keys, column by column.
    keys: Vec<Block>,
    /// The values: for every block of columns, token by token.
    values: Vec<Block>,
    scores: Vec<f32>,
    context: Vec<f32>,
}

thread_local! {
    // ONNX Runtime's own scratch memory cannot be had from an operator, so every thread keeps what it last needed.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Computes one head of one sequence on the calling thread.
///
/// `projected` holds the query, key and value projections of all tokens side by side. Query positions are the sequence's
/// first tokens, as many as the output has rows.
///
/// # Panics
/// If `projected` has fewer tokens or a narrower projection than the head, or the output has more rows than the sequence
/// has tokens, or rows that differ in length.
pub fn attend(projected: &PanelMatrix<'_>, head: Head<'_>) {
    let size = head.context.first().map_or(0, |row| row.len());
    if size == 0 || head.tokens == 0 {
        return;
    }
    // Beyond its own tokens and columns, a head would silently compute with those of others.
    let has = |whole: usize, first: usize, count| whole.checked_sub(first) >= Some(count);
    assert!(has(projected.rows(), head.start, head.tokens));
    assert!(has(projected.width() / 3, head.column, size));
    assert!(head.context.len() <= head.tokens);
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.gather(projected, &head, size);
        scratch.attend(head, size);
    });
}

fn fit<T: Copy + Default>(buffer: &mut Vec<T>, length: usize) -> &mut [T] {
    if buffer.len() < length {
        buffer.resize(length, T::default());
    }
    &mut buffer[..length]
}

impl Scratch {
    fn gather(&mut self, projected: &PanelMatrix<'_>, head: &Head<'_>, size: usize) {
        let hidden = projected.width() / 3;
        let columns = |part: usize| {
            let start = part * hidden + head.column;
            start..start + size
        };
        let queries = fit(&mut self.queries, head.context.len() * size);
        projected.copy_columns(head.start, columns(0), queries);
        // Scores are divided by the root of the head's size; dividing the queries costs less.
        let scale = 1.0 / (size as f32).sqrt();
        queries.iter_mut().for_each(|value| *value *= scale);

        let rows = fit(&mut self.rows, head.tokens * size);
        projected.copy_columns(head.start, columns(1), rows);
        let keys = fit(&mut self.keys, head.tokens.div_ceil(LANES) * size);
        for (rows, block) in rows.chunks(LANES * size).zip(keys.chunks_exact_mut(size)) {
            for (lane, row) in rows.chunks_exact(size).enumerate() {
                for (column, &value) in block.iter_mut().zip(row) {
                    column[lane] = value;
                }
            }
        }
        projected.copy_columns(head.start, columns(2), rows);
        let values = fit(&mut self.values, size.div_ceil(LANES) * head.tokens);
        for (index, block) in values.chunks_exact_mut(head.tokens).enumerate() {
            let first = index * LANES;
            let width = LANES.min(size - first);
            for (row, values) in rows.chunks_exact(size).zip(block) {
                values[..width].copy_from_slice(&row[first..first + width]);
            }
        }
    }

    fn attend(&mut self, mut head: Head<'_>, size: usize) {
        let tokens = head.tokens;
        let (key_blocks, value_blocks) = (tokens.div_ceil(LANES), size.div_ceil(LANES));
        let (scores_width, context_width) = (key_blocks * LANES, value_blocks * LANES);
        for (block, results) in head.context.chunks_mut(QUERY_BLOCK).enumerate() {
            let rows = results.len();
            let queries = Strided {
                floats: &self.queries[block * QUERY_BLOCK * size..],
                stride: size,
            };
            let scores = fit(&mut self.scores, rows * scores_width);
            multiply(queries, rows, size, &self.keys[..key_blocks * size], scores);
            softmax(scores, scores_width, tokens);
            let probabilities = Strided {
                floats: scores,
                stride: scores_width,
            };
            let context = fit(&mut self.context, rows * context_width);
            multiply(
                probabilities,
                rows,
                tokens,
                &self.values[..value_blocks * tokens],
                context,
            );
            for (result, row) in results.iter_mut().zip(context.chunks_exact(context_width)) {
                result.copy_from_slice(&row[..size]);
            }
        }
    }
}
