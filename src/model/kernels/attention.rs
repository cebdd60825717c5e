//! Attention of each text to itself alone.
//!
//! Texts lie one behind the other without padding, so nothing is ever masked and a text cannot notice its neighbours.
//! One task is one head of one text. Scores are kept for a block of queries at a time: memory grows with the length of
//! a text, not with its square.

use std::cell::RefCell;

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::rows::{Columns, Rounding, dequantize, softmax};

/// Queries whose scores are held at one time.
const QUERY_BLOCK: usize = 64;

/// Queries, keys and values of a batch, as the rounded product that made them: a row of three times the hidden size
/// for each token.
#[derive(Clone, Copy)]
pub struct Projected<'a> {
    /// Whole numbers, row after row.
    pub product: &'a [i32],
    /// Rounding of the rows that were multiplied.
    pub scales: &'a [f32],
    /// Their zeros.
    pub zeros: &'a [i32],
    /// What turns columns into floats.
    pub columns: Columns<'a>,
    /// Floats of a token.
    pub hidden: usize,
}

/// One head of one text.
pub struct Head<'a> {
    /// The text's first token.
    pub start: usize,
    /// The text's tokens.
    pub tokens: usize,
    /// First column of the head.
    pub column: usize,
    /// The result: for each query of the text the head's columns.
    pub context: Vec<&'a mut [f32]>,
}

#[derive(Default)]
struct Scratch {
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    scores: Vec<f32>,
    context: Vec<f32>,
}

thread_local! {
    // ONNX Runtime's own scratch memory cannot be had from an operator, so every thread keeps what it last needed.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Computes one head of one text. The queries are the first tokens of the text, as many as the result has rows.
pub fn attend(projected: Projected<'_>, head: Head<'_>) {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.fill(projected, &head);
        scratch.attend(head);
    });
}

/// Gives back the memory of texts longer than `tokens`.
fn fit(buffer: &mut Vec<f32>, floats: usize) -> &mut [f32] {
    if buffer.len() < floats {
        buffer.resize(floats, 0.0);
    }
    &mut buffer[..floats]
}

impl Scratch {
    /// Gathers the head's queries, keys and values, each as `[tokens, head size]`.
    fn fill(&mut self, projected: Projected<'_>, head: &Head<'_>) {
        let size = head.context.first().map_or(0, |row| row.len());
        let queries = head.context.len();
        let parts = [
            (&mut self.queries, queries, 0),
            (&mut self.keys, head.tokens, projected.hidden),
            (&mut self.values, head.tokens, 2 * projected.hidden),
        ];
        for (buffer, tokens, offset) in parts {
            let rows = fit(buffer, tokens * size).chunks_exact_mut(size);
            let columns = projected.columns.slice(offset + head.column, size);
            for (row, token) in rows.zip(head.start..) {
                let begin = token * 3 * projected.hidden + offset + head.column;
                let rounding = Rounding {
                    scale: projected.scales[token],
                    zero: projected.zeros[token],
                };
                dequantize(&projected.product[begin..begin + size], rounding, columns, row);
            }
        }
    }

    fn attend(&mut self, mut head: Head<'_>) {
        let size = head.context.first().map_or(0, |row| row.len());
        let keys = matrix(&self.keys, head.tokens, size);
        let values = matrix(&self.values, head.tokens, size);
        let scale = 1.0 / (size as f32).sqrt();
        for (block, results) in head.context.chunks_mut(QUERY_BLOCK).enumerate() {
            let first = block * QUERY_BLOCK * size;
            let queries = matrix(&self.queries[first..], results.len(), size);
            let scores = fit(&mut self.scores, results.len() * head.tokens);
            let mut products = matrix_mut(scores, results.len(), head.tokens);
            general_mat_mul(scale, &queries, &keys.t(), 0.0, &mut products);
            scores.chunks_exact_mut(head.tokens).for_each(softmax);
            let scores = matrix(scores, results.len(), head.tokens);
            let context = fit(&mut self.context, results.len() * size);
            general_mat_mul(1.0, &scores, &values, 0.0, &mut matrix_mut(context, results.len(), size));
            for (result, row) in results.iter_mut().zip(context.chunks_exact(size)) {
                result.copy_from_slice(row);
            }
        }
    }
}

#[expect(clippy::expect_used, reason = "the slice is cut to the very size")]
fn matrix(floats: &[f32], rows: usize, columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, columns), &floats[..rows * columns]).expect("as long as its shape")
}

#[expect(clippy::expect_used, reason = "the slice is cut to the very size")]
fn matrix_mut(floats: &mut [f32], rows: usize, columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((rows, columns), &mut floats[..rows * columns]).expect("as long as its shape")
}
