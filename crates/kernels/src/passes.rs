//! What is done to a row between two products, in one pass each: the functions that choose their instructions.
//!
//! Choosing costs as much as the arithmetic of a few dozen floats, so it is done once for a whole row or head.

use multiversion::multiversion;

use crate::product::PANEL;
use crate::rows::{self, Block, Columns, Normalization, Rounding, StoredRounding, Strided};

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
/// Rounds a row to bytes; the row is the same afterwards.
pub fn round(row: &mut [f32], bytes: &mut [u8]) -> Rounding {
    rows::quantize(row, bytes)
}

/// Rows of sums with one panel of a matrix become rows of floats.
pub fn dequantize(
    sums: &[[i32; PANEL]],
    roundings: &[StoredRounding],
    (panel, columns): (&[i8], Columns<'_>),
    floats: &mut [[f32; PANEL]],
) {
    for ((sums, rounding), floats) in sums.iter().zip(roundings).zip(floats) {
        rows::dequantize(sums, &Rounding::of(rounding), panel, columns, floats);
    }
}

/// A row gets its residual and is normalised.
pub fn add_normalize(residual: &[f32], normalization: Normalization<'_>, row: &mut [f32]) {
    rows::add(row, residual);
    rows::normalize(row, normalization);
}

/// A row goes through GELU.
pub fn gelu(row: &mut [f32]) {
    rows::gelu(row);
}

/// Bytes become floats.
pub fn widen(bytes: &[i8], scale: f32, floats: &mut [f32]) {
    rows::widen(bytes, scale, floats);
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
