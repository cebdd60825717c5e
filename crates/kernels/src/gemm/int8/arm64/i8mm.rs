//! The product on processors with I8MM, whose instruction multiplies two rows with two columns, eight inputs of each.
//!
//! It takes unsigned activations and signed weights. A register of a panel holds four inputs of four columns: those of
//! two steps, zipped, are eight inputs of two columns. Rows are brought into the order of the instruction beforehand.

use std::arch::aarch64::*;
use std::arch::asm;

use super::super::{PANEL, STEP, Sums};
use super::{COLUMNS, GROUP, LANES, REGISTERS};

/// Pairs of rows that are multiplied at one time; their sums leave some of the 32 registers for the factors.
const PAIRS: usize = 3;
/// Inputs of each row and column that one instruction multiplies.
const DEPTH: usize = 2 * GROUP;
/// Inputs of a row that are brought into order at one time. With the weights that they are multiplied with they stay in
/// the processor's first cache.
const PACKED: usize = 512;

/// Two rows: inputs of the first and the same of the second, in turns.
type Pair = [[[u8; DEPTH]; 2]; PACKED / DEPTH];

/// # Safety
/// The processor has I8MM. `inputs` is a positive multiple of [`GROUP`], `rows` are whole rows of `inputs` bytes and at
/// most [`ROWS`](super::ROWS), and `panel` has `inputs * PANEL` bytes.
#[inline]
pub unsafe fn i8mm(rows: &[u8], inputs: usize, panel: &[i8], sums: &mut Sums) {
    let mut pairs = [[[[0; DEPTH]; 2]; PACKED / DEPTH]; PAIRS];
    for (rows, sums) in rows
        .chunks(2 * PAIRS * inputs)
        .zip(sums.chunks_mut(2 * PAIRS))
    {
        let sums = &mut sums[..rows.len() / inputs];
        sums.fill([0; PANEL]);
        for (part, panel) in panel.chunks(PACKED * PANEL).enumerate() {
            for (index, row) in rows.chunks_exact(inputs).enumerate() {
                pack(&row[part * PACKED..], index % 2, &mut pairs[index / 2]);
            }
            for column in (0..PANEL).step_by(COLUMNS) {
                // SAFETY: the caller promises the instruction. The panel is not longer than a pair, and `column` leaves
                // sixteen columns.
                unsafe {
                    with_rows!(add_products, sums.len().div_ceil(2), (&pairs, panel, column, sums), [1 2 3]);
                }
            }
        }
    }
}

/// Puts a row into its pair. Beyond the row, and in the place of a second row that is missing, the pair keeps what it
/// has: the weights there are zero, and the sums are dropped.
fn pack(row: &[u8], place: usize, pair: &mut Pair) {
    let (whole, rest) = row.as_chunks::<DEPTH>();
    for (bytes, inputs) in whole.iter().zip(&mut *pair) {
        inputs[place] = *bytes;
    }
    if let Some(inputs) = pair.get_mut(whole.len()) {
        inputs[place][..rest.len()].copy_from_slice(rest);
    }
}

/// Adds the products of as many rows as there are sums, in `COUNT` pairs, with sixteen columns to the sums.
///
/// # Safety
/// The processor has I8MM. The panel has whole groups of at most [`PACKED`] inputs, and `column + 16` is at most
/// [`PANEL`].
#[target_feature(enable = "neon,i8mm")]
unsafe fn add_products<const COUNT: usize>(
    pairs: &[Pair; PAIRS],
    panel: &[i8],
    column: usize,
    sums: &mut [[i32; PANEL]],
) {
    // The sums of two rows with two columns in each register.
    let mut totals = [[vdupq_n_s32(0); 2 * REGISTERS]; COUNT];
    let (steps, last) = panel.as_chunks::<{ 2 * STEP }>();
    for (index, steps) in steps.iter().enumerate() {
        let step = steps.as_ptr().wrapping_add(column * GROUP);
        // SAFETY: two steps of the panel, and as many inputs of the pairs, as the caller promises.
        unsafe {
            let activations = load(pairs, index);
            for register in 0..REGISTERS {
                let weights = [
                    load_weights(step, register),
                    load_weights(step.add(STEP), register),
                ];
                add_columns(&mut totals, register, weights, activations);
            }
        }
    }
    if !last.is_empty() {
        let step = last.as_ptr().wrapping_add(column * GROUP);
        // SAFETY: one step of the panel, and as many inputs of the pairs, as the caller promises.
        unsafe {
            let activations = load(pairs, steps.len());
            for register in 0..REGISTERS {
                let weights = [load_weights(step, register), vdupq_n_s32(0)];
                add_columns(&mut totals, register, weights, activations);
            }
        }
    }
    for (totals, sums) in totals.into_iter().zip(sums.chunks_mut(2)) {
        for (register, [left, right]) in totals.as_chunks().0.iter().enumerate() {
            let (left, right) = (vreinterpretq_s64_s32(*left), vreinterpretq_s64_s32(*right));
            let rows = [vzip1q_s64(left, right), vzip2q_s64(left, right)];
            for (row, sums) in rows.into_iter().zip(&mut *sums) {
                let sums = sums[column + register * LANES..][..LANES].as_mut_ptr();
                // SAFETY: a register of sums, as the slice above has.
                unsafe { vst1q_s32(sums, vaddq_s32(vld1q_s32(sums), vreinterpretq_s32_s64(row))) };
            }
        }
    }
}

/// Adds the products with the four columns of two registers.
///
/// # Safety
/// The processor has I8MM.
#[inline]
#[target_feature(enable = "neon,i8mm")]
unsafe fn add_columns<const COUNT: usize>(
    totals: &mut [[int32x4_t; 2 * REGISTERS]; COUNT],
    register: usize,
    [first, second]: [int32x4_t; 2],
    activations: [uint8x16_t; COUNT],
) {
    let columns = [vzip1q_s32(first, second), vzip2q_s32(first, second)];
    for (half, columns) in columns.into_iter().enumerate() {
        for (totals, activations) in totals.iter_mut().zip(activations) {
            // SAFETY: stable Rust has no intrinsic for this instruction. It reads and writes only the registers named
            // here, and the caller promises that the processor has it. It is not called pure, which would allow the
            // compiler another order, for which the registers are too few.
            unsafe {
                asm!(
                    "usmmla {sums:v}.4s, {activations:v}.16b, {columns:v}.16b",
                    sums = inout(vreg) totals[2 * register + half],
                    activations = in(vreg) activations,
                    columns = in(vreg) columns,
                    options(nomem, nostack, preserves_flags),
                );
            }
        }
    }
}

/// The inputs of every pair that the instruction takes at one time.
///
/// # Safety
/// `index` is less than [`PACKED`] / [`DEPTH`].
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load<const COUNT: usize>(pairs: &[Pair; PAIRS], index: usize) -> [uint8x16_t; COUNT] {
    let mut activations = [vdupq_n_u8(0); COUNT];
    for (activations, pair) in activations.iter_mut().zip(pairs) {
        // SAFETY: the caller promises the index; two rows' inputs fill a register.
        *activations = unsafe { vld1q_u8(pair.as_ptr().add(index).cast()) };
    }
    activations
}

/// The weights of four columns.
///
/// # Safety
/// `step` points to the weights of sixteen columns.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load_weights(step: *const i8, register: usize) -> int32x4_t {
    // SAFETY: the caller's promise.
    vreinterpretq_s32_s8(unsafe { vld1q_s8(step.add(register * LANES * GROUP)) })
}
