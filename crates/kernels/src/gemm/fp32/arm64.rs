//! The GEMM in the vector instructions of arm64.
//!
//! Every function here is unsafe for two reasons: it loads vectors through pointers, and an instruction that the
//! processor lacks is undefined behaviour. `InstructionSet::multiply_block` is the only caller: it holds a detected
//! instruction set, and checks the lengths that every pointer here stays within.
//! Nothing is prefetched: how far ahead would pay was never measured.
#![expect(unsafe_code, reason = "vector instructions and loads through pointers")]

use std::arch::aarch64::*;
use std::arch::asm;

use half::f16;

use super::PANEL;
use super::panel::{Panel, Stored, Widening};
use crate::gemm::rows_per_block;
use crate::rows::Strided;

/// Rows that are multiplied at one time; with [`COLUMNS`] their sums leave some of the 32 registers for the factors.
pub const FEW_ROWS: usize = 6;
/// Floats in one register.
const LANES: usize = 4;
/// Registers of columns that are multiplied at one time.
const REGISTERS: usize = 4;
/// Columns that are multiplied at one time.
const COLUMNS: usize = REGISTERS * LANES;

/// Weights of a panel that fill a vector register, in fp32.
pub trait Load {
    /// # Safety
    /// The processor has NEON, and there are 4 weights from `index` on.
    unsafe fn four(&mut self, index: usize) -> float32x4_t;
}

impl Load for Stored<'_, f32> {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn four(&mut self, index: usize) -> float32x4_t {
        // SAFETY: the caller promises the weights.
        unsafe { vld1q_f32(self.0.as_ptr().add(index)) }
    }
}

impl Load for Stored<'_, f16> {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn four(&mut self, index: usize) -> float32x4_t {
        // SAFETY: the caller promises the weights.
        let halves = unsafe { vld1_u16(self.0.as_ptr().add(index).cast()) };
        let floats;
        // SAFETY: every arm64 processor has this instruction, for which stable Rust has no intrinsic. It writes only the
        // register named here, and the status of floating-point arithmetic. It is not called pure, which would allow the
        // compiler another order, for which the registers are too few.
        unsafe {
            asm!(
                "fcvtl {floats:v}.4s, {halves:v}.4h",
                floats = lateout(vreg) floats,
                halves = in(vreg) halves,
                options(nomem, nostack),
            );
        }
        floats
    }
}

impl Load for Widening<'_> {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn four(&mut self, index: usize) -> float32x4_t {
        // SAFETY: the caller promises the weights, and there are as many floats.
        unsafe {
            let weights = Stored(self.halves).four(index);
            vst1q_f32(self.floats.as_mut_ptr().add(index), weights);
            weights
        }
    }
}

/// # Safety
/// The processor has NEON. `rows` has a row for each of the `products`, and each row has as many floats as `panel` has
/// inputs.
#[inline]
pub unsafe fn neon<P: Panel>(
    rows: Strided<'_>,
    panel: &mut P,
    bias: &[f32; PANEL],
    products: &mut [[f32; PANEL]],
) {
    let piece = rows_per_block(products.len(), FEW_ROWS);
    for (index, products) in products.chunks_mut(piece).enumerate() {
        let rows = rows.from_row(index * piece);
        for column in (0..PANEL).step_by(COLUMNS) {
            // SAFETY: the caller promises the instructions and the lengths; `column` leaves sixteen columns.
            unsafe {
                with_rows!(neon_rows<P>, products.len(), (rows, panel, column, bias, products), [1 2 3 4 5 6]);
            }
        }
    }
}

/// # Safety
/// The processor has NEON, `rows` has `COUNT` rows with a float for each input of the panel, and `column + 16` is at
/// most [`PANEL`].
#[target_feature(enable = "neon")]
unsafe fn neon_rows<P: Panel, const COUNT: usize>(
    rows: Strided<'_>,
    panel: &mut P,
    column: usize,
    bias: &[f32; PANEL],
    products: &mut [[f32; PANEL]],
) {
    let bias = bias[column..][..COLUMNS].as_ptr();
    // SAFETY: sixteen floats, as the slice above has.
    let start = std::array::from_fn(|register| unsafe { vld1q_f32(bias.add(register * LANES)) });
    let mut sums: [[float32x4_t; REGISTERS]; COUNT] = [start; COUNT];
    let floats = rows.floats.as_ptr();
    let inputs = panel.len() / PANEL;
    let whole = inputs / LANES * LANES;
    for input in (0..whole).step_by(LANES) {
        // SAFETY: four inputs of the rows, and sixteen columns of their steps, as the caller promises.
        unsafe {
            let mut activations = [vdupq_n_f32(0.0); COUNT];
            for (row, activations) in activations.iter_mut().enumerate() {
                *activations = vld1q_f32(floats.add(row * rows.stride + input));
            }
            let step = input * PANEL + column;
            add_input::<P, COUNT, 0>(&mut sums, panel, step, &activations);
            add_input::<P, COUNT, 1>(&mut sums, panel, step + PANEL, &activations);
            add_input::<P, COUNT, 2>(&mut sums, panel, step + 2 * PANEL, &activations);
            add_input::<P, COUNT, 3>(&mut sums, panel, step + 3 * PANEL, &activations);
        }
    }
    for input in whole..inputs {
        // SAFETY: one input of the rows, and sixteen columns of its step, as the caller promises.
        unsafe {
            let mut activations = [vdupq_n_f32(0.0); COUNT];
            for (row, activations) in activations.iter_mut().enumerate() {
                *activations = vdupq_n_f32(*floats.add(row * rows.stride + input));
            }
            add_input::<P, COUNT, 0>(&mut sums, panel, input * PANEL + column, &activations);
        }
    }
    for (sums, product) in sums.into_iter().zip(products) {
        let product = product[column..][..COLUMNS].as_chunks_mut::<LANES>().0;
        for (sum, product) in sums.into_iter().zip(product) {
            // SAFETY: a register of floats.
            unsafe { vst1q_f32(product.as_mut_ptr(), sum) };
        }
    }
}

/// Adds the products of one input, the one at `LANE` of the activations.
///
/// # Safety
/// The processor has NEON, and there are the input's weights of sixteen columns from `step` on.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn add_input<P: Panel, const COUNT: usize, const LANE: i32>(
    sums: &mut [[float32x4_t; REGISTERS]; COUNT],
    panel: &mut P,
    step: usize,
    activations: &[float32x4_t; COUNT],
) {
    for register in 0..REGISTERS {
        // SAFETY: four columns of the step, as the caller promises.
        let weights = unsafe { panel.four(step + register * LANES) };
        for (sums, activations) in sums.iter_mut().zip(activations) {
            sums[register] = vfmaq_laneq_f32::<LANE>(sums[register], weights, *activations);
        }
    }
}
