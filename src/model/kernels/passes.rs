//! What is done to a row between two products, in one pass each: the functions that choose their instructions.
//!
//! Choosing costs as much as the arithmetic of a few dozen floats, so it is done once for a whole row or head.

use multiversion::multiversion;

use super::rows::{self, Block, Normalization, Rounding, Strided};
use super::tensors::Product;

/// Compiles every function once for each set of instructions worth having, and lets it choose when it is called.
macro_rules! choosing {
    ($($function:item)*) => {$(
        #[multiversion(targets(
            "x86_64+avx+avx2+fma+avx512f+avx512bw+avx512dq+avx512vl",
            "x86_64+avx+avx2+fma",
        ))]
        $function
    )*};
}

choosing! {
/// Rounds a row to bytes.
pub fn round(row: &[f32], levels: u8, bytes: &mut [u8]) -> Rounding {
    rows::quantize(row, levels, bytes)
}

/// A row of a product becomes floats, gets its residual and is normalised.
pub fn add_normalize(
    (product, index): (&Product<'_>, usize),
    residual: &[f32],
    normalization: Normalization<'_>,
    row: &mut [f32],
) {
    product.row(index, row);
    rows::add(row, residual);
    rows::normalize(row, normalization);
}

/// A row of a product becomes floats and goes through GELU.
pub fn gelu((product, index): (&Product<'_>, usize), row: &mut [f32]) {
    product.row(index, row);
    rows::gelu(row);
}

/// A word and its position become a normalised row.
pub fn embed(
    (word, scale): (&[i8], f32),
    position: &[f32],
    normalization: Normalization<'_>,
    row: &mut [f32],
) {
    rows::widen(word, scale, row);
    rows::add(row, position);
    rows::normalize(row, normalization);
}

/// Some columns of the rows of a product, from its row `first` on, become rows of floats.
pub fn dequantize_part(
    product: &Product<'_>,
    first: usize,
    (column, length): (usize, usize),
    rows: &mut [f32],
) {
    for (index, row) in rows.chunks_exact_mut(length).enumerate() {
        let (numbers, rounding, columns) = product.part(first + index, column, length);
        rows::dequantize(numbers, rounding, columns, row);
    }
}

/// Every row of `scores` becomes shares that sum to 1, of its first `length` columns; the others get none.
pub fn softmax(scores: &mut [f32], width: usize, length: usize) {
    for row in scores.chunks_exact_mut(width) {
        // What fills up the last block gets no share, and whole blocks are fastest.
        row[length..].fill(f32::NEG_INFINITY);
        rows::softmax(row);
    }
}

/// Multiplies rows with blocks of columns: see [`rows::multiply`].
pub fn multiply(
    left: Strided<'_>,
    rows: usize,
    inner: usize,
    blocks: &[Block],
    product: &mut [f32],
) {
    rows::multiply(left, rows, inner, blocks, product);
}
}
