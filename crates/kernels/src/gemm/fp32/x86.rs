//! The GEMM in the vector instructions of x86-64.
//!
//! Every function here is unsafe for two reasons: it loads vectors through pointers, and an instruction that the
//! processor lacks is undefined behaviour. [`InstructionSet::multiply`](super::InstructionSet::multiply) is the only
//! caller: it holds a detected instruction set, and checks the lengths that every pointer here stays within.
#![expect(unsafe_code, reason = "vector instructions and loads through pointers")]

use std::arch::x86_64::*;

use super::{PANEL, Weight};
use crate::rows::Strided;
use half::f16;

/// How far ahead of the multiplication weights are asked for, in bytes. A query uses every weight once, and without
/// this the processor would wait for memory and multiply in turns. Measured: flat from 8 to 16 KiB, where 12 tokens take 0.8
/// of the time.
const AHEAD: usize = 8192;
/// Bytes of a line of the processor's cache.
const LINE: usize = 64;

/// Weights that fill a vector register, widened to fp32.
pub trait Load {
    /// # Safety
    /// The processor has AVX-512, and `weights` points to 16 of them.
    unsafe fn sixteen(weights: *const Self) -> __m512;

    /// # Safety
    /// The processor has AVX2 and F16C, and `weights` points to 8 of them.
    unsafe fn eight(weights: *const Self) -> __m256;
}

impl Load for f32 {
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sixteen(weights: *const Self) -> __m512 {
        // SAFETY: the caller promises the weights.
        unsafe { _mm512_loadu_ps(weights) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn eight(weights: *const Self) -> __m256 {
        // SAFETY: the caller promises the weights.
        unsafe { _mm256_loadu_ps(weights) }
    }
}

impl Load for f16 {
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sixteen(weights: *const Self) -> __m512 {
        // SAFETY: the caller promises the weights.
        _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(weights.cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    unsafe fn eight(weights: *const Self) -> __m256 {
        // SAFETY: the caller promises the weights.
        _mm256_cvtph_ps(unsafe { _mm_loadu_si128(weights.cast()) })
    }
}

/// # Safety
/// The processor has AVX-512. There are at most 12 `products`, `rows` has a row for each of them, and each row has as many
/// floats as `panel` has inputs.
#[inline]
pub unsafe fn avx512<W: Weight>(
    rows: Strided<'_>,
    panel: &[W],
    bias: &[f32; PANEL],
    products: &mut [[f32; PANEL]],
) {
    // SAFETY: the caller promises the instructions and the lengths.
    unsafe {
        with_rows!(avx512_rows<W>, products.len(), (rows, panel, bias, products),
            [1 2 3 4 5 6 7 8 9 10 11 12]);
    }
}

/// # Safety
/// The processor has AVX-512, and `rows` has `COUNT` rows with a float for each input of the panel.
#[target_feature(enable = "avx512f")]
unsafe fn avx512_rows<W: Weight, const COUNT: usize>(
    rows: Strided<'_>,
    panel: &[W],
    bias: &[f32; PANEL],
    products: &mut [[f32; PANEL]],
) {
    // SAFETY: a panel's width is that of two registers.
    let start = unsafe {
        [
            _mm512_loadu_ps(bias.as_ptr()),
            _mm512_loadu_ps(bias.as_ptr().add(PANEL / 2)),
        ]
    };
    let mut sums = [start; COUNT];
    let floats = rows.floats.as_ptr();
    for (input, step) in panel.as_chunks::<PANEL>().0.iter().enumerate() {
        let step = step.as_ptr();
        prefetch(step);
        // SAFETY: a step is as wide as two registers; the caller promises the rows.
        unsafe {
            let weights = [W::sixteen(step), W::sixteen(step.add(PANEL / 2))];
            for (row, sums) in sums.iter_mut().enumerate() {
                let activation = _mm512_set1_ps(*floats.add(row * rows.stride + input));
                sums[0] = _mm512_fmadd_ps(activation, weights[0], sums[0]);
                sums[1] = _mm512_fmadd_ps(activation, weights[1], sums[1]);
            }
        }
    }
    for (sums, product) in sums.into_iter().zip(products) {
        let product = product.as_mut_ptr();
        // SAFETY: a product is as wide as two registers.
        unsafe {
            _mm512_storeu_ps(product, sums[0]);
            _mm512_storeu_ps(product.add(PANEL / 2), sums[1]);
        }
    }
}

/// Rows at one time in 16 registers.
const FEW_ROWS: usize = 6;
/// Columns of one register.
const COLUMNS: usize = 8;

/// Multiplies the rows and columns in pieces for which 16 registers are enough: six rows, sixteen columns.
///
/// # Safety
/// As for [`avx512`], on a processor with AVX2, FMA and F16C, and for any number of `products`.
#[inline]
pub unsafe fn avx2<W: Weight>(
    rows: Strided<'_>,
    panel: &[W],
    bias: &[f32; PANEL],
    products: &mut [[f32; PANEL]],
) {
    for (piece, products) in products.chunks_mut(FEW_ROWS).enumerate() {
        let rows = rows.from_row(piece * FEW_ROWS);
        for column in (0..PANEL).step_by(2 * COLUMNS) {
            // SAFETY: the caller promises the instructions and the lengths; `column` leaves sixteen columns.
            unsafe {
                with_rows!(avx2_rows<W>, products.len(), (rows, panel, column, bias, products), [1 2 3 4 5 6]);
            }
        }
    }
}

/// # Safety
/// As for [`avx512_rows`], on a processor with AVX2, FMA and F16C; `column + 16` is at most [`PANEL`].
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn avx2_rows<W: Weight, const COUNT: usize>(
    rows: Strided<'_>,
    panel: &[W],
    column: usize,
    bias: &[f32; PANEL],
    products: &mut [[f32; PANEL]],
) {
    let bias = bias[column..][..2 * COLUMNS].as_ptr();
    // SAFETY: sixteen floats, as the slice above has.
    let start = unsafe { [_mm256_loadu_ps(bias), _mm256_loadu_ps(bias.add(COLUMNS))] };
    let mut sums = [start; COUNT];
    let floats = rows.floats.as_ptr();
    for (input, step) in panel.as_chunks::<PANEL>().0.iter().enumerate() {
        let step = step.as_ptr().wrapping_add(column);
        prefetch(step);
        // SAFETY: sixteen columns of a step, and the rows, as the caller promises.
        unsafe {
            let weights = [W::eight(step), W::eight(step.add(COLUMNS))];
            for (row, sums) in sums.iter_mut().enumerate() {
                let activation = _mm256_set1_ps(*floats.add(row * rows.stride + input));
                sums[0] = _mm256_fmadd_ps(activation, weights[0], sums[0]);
                sums[1] = _mm256_fmadd_ps(activation, weights[1], sums[1]);
            }
        }
    }
    for (sums, product) in sums.into_iter().zip(products) {
        let product = product[column..][..2 * COLUMNS].as_mut_ptr();
        // SAFETY: sixteen floats, as the slice above has.
        unsafe {
            _mm256_storeu_ps(product, sums[0]);
            _mm256_storeu_ps(product.add(COLUMNS), sums[1]);
        }
    }
}

/// Prefetches the weights that come next. The address may lie beyond the matrix.
#[inline(always)]
fn prefetch<W>(step: *const W) {
    let ahead = step.cast::<i8>().wrapping_add(AHEAD);
    for line in 0..(PANEL * size_of::<W>()).div_ceil(LINE) {
        // SAFETY: a prefetch reads nothing that the program can see and never faults, wherever it points; every x86-64
        // processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(ahead.wrapping_add(line * LINE)) };
    }
}

const _: () = assert!(
    super::ROWS == 12,
    "the kernel for AVX-512 is called with up to 12 rows"
);
