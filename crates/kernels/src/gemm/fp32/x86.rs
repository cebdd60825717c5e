//! The GEMM in the vector instructions of x86-64.
//!
//! Every function here is unsafe for two reasons: it loads vectors through pointers, and an instruction that the
//! processor lacks is undefined behaviour. `InstructionSet::multiply_block` is the only caller: it holds a detected
//! instruction set, and checks the lengths that every pointer here stays within.
#![expect(unsafe_code, reason = "vector instructions and loads through pointers")]

use std::arch::x86_64::*;

use super::PANEL;
use super::panel::{Panel, Stored, Widening};
use crate::gemm::rows_per_block;
use crate::rows::Strided;
use half::f16;

/// How far ahead of the multiplication weights are asked for, in bytes. A query uses every weight once, and without
/// this the processor would wait for memory and multiply in turns. Measured: flat from 8 to 16 KiB, where 12 tokens take 0.8
/// of the time.
const AHEAD: usize = 8192;
/// Bytes of a line of the processor's cache.
const LINE: usize = 64;

/// Weights of a panel that fill a vector register, in fp32.
pub trait Load {
    /// As they are stored.
    type Weight;

    /// The first of them in memory.
    fn stored(&self) -> *const Self::Weight;

    /// # Safety
    /// The processor has AVX-512, and there are 16 weights from `index` on.
    unsafe fn sixteen(&mut self, index: usize) -> __m512;

    /// # Safety
    /// The processor has AVX2 and F16C, and there are 8 weights from `index` on.
    unsafe fn eight(&mut self, index: usize) -> __m256;
}

impl Load for Stored<'_, f32> {
    type Weight = f32;

    #[inline(always)]
    fn stored(&self) -> *const f32 {
        self.0.as_ptr()
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sixteen(&mut self, index: usize) -> __m512 {
        // SAFETY: the caller promises the weights.
        unsafe { _mm512_loadu_ps(self.0.as_ptr().add(index)) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn eight(&mut self, index: usize) -> __m256 {
        // SAFETY: the caller promises the weights.
        unsafe { _mm256_loadu_ps(self.0.as_ptr().add(index)) }
    }
}

impl Load for Stored<'_, f16> {
    type Weight = f16;

    #[inline(always)]
    fn stored(&self) -> *const f16 {
        self.0.as_ptr()
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sixteen(&mut self, index: usize) -> __m512 {
        // SAFETY: the caller promises the weights.
        _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(self.0.as_ptr().add(index).cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    unsafe fn eight(&mut self, index: usize) -> __m256 {
        // SAFETY: the caller promises the weights.
        _mm256_cvtph_ps(unsafe { _mm_loadu_si128(self.0.as_ptr().add(index).cast()) })
    }
}

impl Load for Widening<'_> {
    type Weight = f16;

    #[inline(always)]
    fn stored(&self) -> *const f16 {
        self.halves.as_ptr()
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sixteen(&mut self, index: usize) -> __m512 {
        // SAFETY: the caller promises the weights, and there are as many floats.
        unsafe {
            let weights = Stored(self.halves).sixteen(index);
            _mm512_storeu_ps(self.floats.as_mut_ptr().add(index), weights);
            weights
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    unsafe fn eight(&mut self, index: usize) -> __m256 {
        // SAFETY: the caller promises the weights, and there are as many floats.
        unsafe {
            let weights = Stored(self.halves).eight(index);
            _mm256_storeu_ps(self.floats.as_mut_ptr().add(index), weights);
            weights
        }
    }
}

/// # Safety
/// The processor has AVX-512. There are at most 12 `products`, `rows` has a row for each of them, and each row has as many
/// floats as `panel` has inputs.
#[inline]
pub unsafe fn avx512<P: Panel>(
    rows: Strided<'_>,
    panel: &mut P,
    bias: &[f32; PANEL],
    products: &mut [[f32; PANEL]],
) {
    // SAFETY: the caller promises the instructions and the lengths.
    unsafe {
        with_rows!(avx512_rows<P>, products.len(), (rows, panel, bias, products),
            [1 2 3 4 5 6 7 8 9 10 11 12]);
    }
}

/// # Safety
/// The processor has AVX-512, and `rows` has `COUNT` rows with a float for each input of the panel.
#[target_feature(enable = "avx512f")]
unsafe fn avx512_rows<P: Panel, const COUNT: usize>(
    rows: Strided<'_>,
    panel: &mut P,
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
    for input in 0..panel.len() / PANEL {
        let step = input * PANEL;
        prefetch(panel.stored().wrapping_add(step));
        // SAFETY: a step is as wide as two registers; the caller promises the rows.
        unsafe {
            let weights = [panel.sixteen(step), panel.sixteen(step + PANEL / 2)];
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
pub const FEW_ROWS: usize = 6;
/// Columns of one register.
const COLUMNS: usize = 8;

/// Multiplies the rows and columns in pieces for which 16 registers are enough: six rows, sixteen columns.
///
/// # Safety
/// As for [`avx512`], on a processor with AVX2, FMA and F16C, and for any number of `products`.
#[inline]
pub unsafe fn avx2<P: Panel>(
    rows: Strided<'_>,
    panel: &mut P,
    bias: &[f32; PANEL],
    products: &mut [[f32; PANEL]],
) {
    let piece = rows_per_block(products.len(), FEW_ROWS);
    for (index, products) in products.chunks_mut(piece).enumerate() {
        let rows = rows.from_row(index * piece);
        for column in (0..PANEL).step_by(2 * COLUMNS) {
            // SAFETY: the caller promises the instructions and the lengths; `column` leaves sixteen columns.
            unsafe {
                with_rows!(avx2_rows<P>, products.len(), (rows, panel, column, bias, products), [1 2 3 4 5 6]);
            }
        }
    }
}

/// # Safety
/// As for [`avx512_rows`], on a processor with AVX2, FMA and F16C; `column + 16` is at most [`PANEL`].
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn avx2_rows<P: Panel, const COUNT: usize>(
    rows: Strided<'_>,
    panel: &mut P,
    column: usize,
    bias: &[f32; PANEL],
    products: &mut [[f32; PANEL]],
) {
    let bias = bias[column..][..2 * COLUMNS].as_ptr();
    // SAFETY: sixteen floats, as the slice above has.
    let start = unsafe { [_mm256_loadu_ps(bias), _mm256_loadu_ps(bias.add(COLUMNS))] };
    let mut sums = [start; COUNT];
    let floats = rows.floats.as_ptr();
    for input in 0..panel.len() / PANEL {
        let step = input * PANEL + column;
        prefetch(panel.stored().wrapping_add(step));
        // SAFETY: sixteen columns of a step, and the rows, as the caller promises.
        unsafe {
            let weights = [panel.eight(step), panel.eight(step + COLUMNS)];
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
