//! The operations on rows between two matrix multiplications, with run-time dispatch to the best instruction set.
//!
//! A dispatch costs as much as the arithmetic of a few dozen floats, so there is one for a whole row or head. Every
//! instruction set gives the same bits.

use half::f16;
use multiversion::multiversion;

use crate::gemm::PANEL;
use crate::gemm::fp32::Weight;
use crate::rows::{
    self, Block, ColumnParameters, Normalization, RowQuantization, StoredQuantization, Strided,
};

/// Compiles every function once for each instruction set worth having; a call dispatches to the best one.
macro_rules! dispatched {
    ($($function:item)*) => {$(
        #[multiversion(targets(
            "x86_64+avx+avx2+fma+avx512f+avx512bw+avx512dq+avx512vl",
            "x86_64+avx+avx2+fma",
        ))]
        $function
    )*};
}

dispatched! {
/// Quantizes a row to bytes; the row is the same afterwards. Panics if it is empty.
pub fn quantize(row: &mut [f32], bytes: &mut [u8]) -> RowQuantization {
    rows::quantize(row, bytes)
}

/// Turns rows of sums with one panel of weights into rows of floats. Panics if an outlier's index is beyond the panel's
/// inputs.
pub fn dequantize_sums(
    sums: &[[i32; PANEL]],
    quantizations: &[StoredQuantization],
    (panel, columns): (&[i8], ColumnParameters<'_>),
    floats: &mut [[f32; PANEL]],
) {
    for ((sums, quantization), floats) in sums.iter().zip(quantizations).zip(floats) {
        rows::dequantize_sums(sums, &RowQuantization::of(quantization), panel, columns, floats);
    }
}

/// Adds the residual to a row and applies layer normalization.
pub fn add_layer_normalization(residual: &[f32], normalization: Normalization<'_>, row: &mut [f32]) {
    rows::add(row, residual);
    rows::normalize(row, normalization);
}

/// Divides a row by its L2 norm; see [`rows::l2_normalize`].
pub fn l2_normalize(row: &mut [f32]) {
    rows::l2_normalize(row);
}

/// Applies GELU to a row.
pub fn gelu(row: &mut [f32]) {
    rows::gelu(row);
}

/// Dequantizes a row of bytes with one scale.
pub fn dequantize_row(bytes: &[i8], scale: f32, floats: &mut [f32]) {
    rows::dequantize_row(bytes, scale, floats);
}

/// Widens a row of halves.
pub fn widen_row(halves: &[f16], floats: &mut [f32]) {
    for (float, half) in floats.iter_mut().zip(halves) {
        *float = half.widen();
    }
}

/// Softmax of the first `length` columns of every row of `scores`, each of `width`; the columns beyond become 0. Panics if
/// `length` is beyond `width`, or `width` is 0.
pub fn softmax(scores: &mut [f32], width: usize, length: usize) {
    for row in scores.chunks_exact_mut(width) {
        // The padding of the last block gets probability 0, and whole blocks are fastest.
        row[length..].fill(f32::NEG_INFINITY);
        rows::softmax(row);
    }
}

/// Multiplies rows with blocks of columns; see [`rows::multiply`].
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
