//! The GEMM in the vector instructions of arm64.
//!
//! Every function here is unsafe for two reasons: it loads vectors through pointers, and an instruction that the
//! processor lacks is undefined behaviour. [`InstructionSet::multiply`](super::InstructionSet::multiply) is the only
//! caller: it holds a detected instruction set, and checks the lengths that every pointer here stays within.
//!
//! Instructions for signed bytes get activations minus 128. The sums then start with what that leaves out: 128 times the
//! column's sum of weights. Nothing is prefetched: how far ahead would pay was never measured.
#![expect(unsafe_code, reason = "vector instructions and loads through pointers")]

mod i8mm;

use std::arch::aarch64::*;
use std::arch::asm;

pub use i8mm::i8mm;

use super::{GROUP, PANEL, ROWS, STEP, Sums};

/// What makes signed bytes of activations. Subtracting it changes their highest bit.
const OFFSET: u8 = 128;
/// Inputs of a row that are made signed at one time. With the weights that they are multiplied with they stay in the
/// processor's first cache.
const SIGNED: usize = 512;
/// 32-bit sums in one register.
const LANES: usize = 4;
/// Registers of columns that are multiplied at one time.
const REGISTERS: usize = 4;
/// Columns that are multiplied at one time.
const COLUMNS: usize = REGISTERS * LANES;
/// Inputs of a row in one register.
const BLOCK: usize = 16;

/// Rows of bytes that begin every `stride` bytes, and whole inputs of a panel to multiply them with.
#[derive(Clone, Copy)]
struct Factors<'a> {
    rows: &'a [u8],
    stride: usize,
    panel: &'a [i8],
}

/// Defines the product of an instruction set that has instructions for signed bytes only. `$most` rows are multiplied at one
/// time.
macro_rules! signed_product {
    ($(#[$comment:meta])* $product:ident, $kernel:ident, $counts:tt, $most:ident) => {
        $(#[$comment])*
        #[inline]
        pub unsafe fn $product(
            rows: &[u8],
            inputs: usize,
            panel: &[i8],
            column_sums: &[i32; PANEL],
            sums: &mut Sums,
        ) {
            let start = column_sums.map(|sum| sum.wrapping_mul(i32::from(OFFSET)));
            let mut signed = [[0; SIGNED]; $most];
            for (rows, sums) in rows.chunks($most * inputs).zip(sums.chunks_mut($most)) {
                let count = rows.len() / inputs;
                sums[..count].fill(start);
                for (part, panel) in panel.chunks(SIGNED * PANEL).enumerate() {
                    for (row, signed) in rows.chunks_exact(inputs).zip(&mut signed) {
                        for (signed, byte) in signed.iter_mut().zip(&row[part * SIGNED..]) {
                            *signed = byte ^ OFFSET;
                        }
                    }
                    let rows = signed.as_flattened();
                    let factors = Factors { rows, stride: SIGNED, panel };
                    for column in (0..PANEL).step_by(COLUMNS) {
                        // SAFETY: the caller promises the instructions and the lengths; `column` leaves sixteen columns.
                        unsafe { with_rows!($kernel, count, (factors, column, sums), $counts); }
                    }
                }
            }
        }
    };
}

/// Rows whose sums leave some of the 32 registers for the factors, with one register for four columns.
const DOT_ROWS: usize = 6;

signed_product! {
    /// # Safety
    /// The processor has dot products. `inputs` is a positive multiple of [`GROUP`], `rows` are whole rows of `inputs`
    /// bytes and at most [`ROWS`], and `panel` has `inputs * PANEL` bytes.
    dotprod, dotprod_rows, [1 2 3 4 5 6], DOT_ROWS
}

/// Adds the products of `COUNT` rows with sixteen columns to the sums.
///
/// # Safety
/// The processor has the instructions. The rows are as long as the panel has inputs, whole groups, and
/// `column + 16` is at most [`PANEL`].
#[target_feature(enable = "neon,dotprod")]
unsafe fn dotprod_rows<const COUNT: usize>(
    factors: Factors<'_>,
    column: usize,
    sums: &mut [[i32; PANEL]],
) {
    let mut totals: [Totals; COUNT] = load_sums(sums, column);
    let inputs = factors.panel.len() / PANEL;
    let panel = factors.panel.as_ptr().wrapping_add(column * GROUP);
    let whole = inputs / BLOCK * BLOCK;
    for input in (0..whole).step_by(BLOCK) {
        // SAFETY: four groups of every row and of the panel, as the caller promises.
        unsafe {
            let activations: [uint8x16_t; COUNT] = factors.block(input);
            let step = panel.add(input * PANEL);
            add_group::<COUNT, 0>(&mut totals, step, activations);
            add_group::<COUNT, 1>(&mut totals, step.add(STEP), activations);
            add_group::<COUNT, 2>(&mut totals, step.add(2 * STEP), activations);
            add_group::<COUNT, 3>(&mut totals, step.add(3 * STEP), activations);
        }
    }
    for input in (whole..inputs).step_by(GROUP) {
        // SAFETY: a group of every row and of the panel, as the caller promises.
        unsafe {
            let activations: [uint8x16_t; COUNT] = factors.group(input);
            add_group::<COUNT, 0>(&mut totals, panel.add(input * PANEL), activations);
        }
    }
    store_sums(totals, sums, column);
}

/// Adds the products of one group of inputs, the one at `LANE` of the activations.
///
/// # Safety
/// The processor has the instructions, and `step` points to the group's weights of sixteen columns.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn add_group<const COUNT: usize, const LANE: usize>(
    totals: &mut [Totals; COUNT],
    step: *const i8,
    activations: [uint8x16_t; COUNT],
) {
    for register in 0..REGISTERS {
        // SAFETY: four columns of the step, as the caller promises.
        let weights = unsafe { vld1q_s8(step.add(register * LANES * GROUP)) };
        for (totals, activations) in totals.iter_mut().zip(activations) {
            // SAFETY: stable Rust has no intrinsic for this instruction. It reads and writes only the registers
            // named here, and the caller promises that the processor has it.
            unsafe {
                asm!(
                    "sdot {sums:v}.4s, {weights:v}.16b, {activations:v}.4b[{lane}]",
                    sums = inout(vreg) totals[register],
                    weights = in(vreg) weights,
                    activations = in(vreg) activations,
                    lane = const LANE,
                    options(pure, nomem, nostack, preserves_flags),
                );
            }
        }
    }
}

/// Rows whose sums leave some of the 32 registers for the factors, with two registers for four columns.
const PAIR_ROWS: usize = 3;

signed_product! {
    /// # Safety
    /// As for [`dotprod`], on any processor.
    neon, neon_rows, [1 2 3], PAIR_ROWS
}

/// Adds the products of `COUNT` rows with sixteen columns to the sums. Products of signed bytes fit 16 bits, but two of
/// them may not: each is added to its neighbour in 32.
///
/// # Safety
/// As for [`dotprod_rows`], on any processor.
#[target_feature(enable = "neon")]
unsafe fn neon_rows<const COUNT: usize>(
    factors: Factors<'_>,
    column: usize,
    sums: &mut [[i32; PANEL]],
) {
    // Two sums for each column, of two columns in each register.
    let mut pairs = [[[vdupq_n_s32(0); 2]; REGISTERS]; COUNT];
    for (group, step) in factors.panel.as_chunks::<STEP>().0.iter().enumerate() {
        let step = step.as_ptr().wrapping_add(column * GROUP);
        // SAFETY: a group of every row, as the caller promises.
        let activations: [uint8x16_t; COUNT] = unsafe { factors.group(group * GROUP) };
        for register in 0..REGISTERS {
            // SAFETY: four columns of the step, as the caller promises.
            let weights = unsafe { vld1q_s8(step.add(register * LANES * GROUP)) };
            for (pairs, activations) in pairs.iter_mut().zip(activations) {
                let activations = vreinterpretq_s8_u8(activations);
                let [low, high] = &mut pairs[register];
                let products = vmull_s8(vget_low_s8(weights), vget_low_s8(activations));
                *low = vpadalq_s16(*low, products);
                *high = vpadalq_s16(*high, vmull_high_s8(weights, activations));
            }
        }
    }
    let mut totals: [Totals; COUNT] = load_sums(sums, column);
    for (totals, pairs) in totals.iter_mut().zip(pairs) {
        for (total, [low, high]) in totals.iter_mut().zip(pairs) {
            *total = vaddq_s32(*total, vpaddq_s32(low, high));
        }
    }
    store_sums(totals, sums, column);
}

impl Factors<'_> {
    /// Sixteen bytes of every row from `input` on.
    ///
    /// # Safety
    /// There are `COUNT` rows, and so many inputs.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn block<const COUNT: usize>(self, input: usize) -> [uint8x16_t; COUNT] {
        let mut activations = [vdupq_n_u8(0); COUNT];
        for (row, activations) in activations.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *activations = unsafe { vld1q_u8(self.rows.as_ptr().add(row * self.stride + input)) };
        }
        activations
    }

    /// One group of every row, which begins with `input`, four times.
    ///
    /// # Safety
    /// There are `COUNT` rows, and so many inputs.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn group<const COUNT: usize>(self, input: usize) -> [uint8x16_t; COUNT] {
        let mut activations = [vdupq_n_u8(0); COUNT];
        for (row, activations) in activations.iter_mut().enumerate() {
            // SAFETY: the caller's promise; a number of four bytes may begin anywhere.
            let bytes = unsafe {
                let start = self.rows.as_ptr().add(row * self.stride + input);
                start.cast::<u32>().read_unaligned()
            };
            *activations = vreinterpretq_u8_u32(vdupq_n_u32(bytes));
        }
        activations
    }
}

/// Sums of one row with sixteen columns.
type Totals = [int32x4_t; REGISTERS];

#[inline]
#[target_feature(enable = "neon")]
fn load_sums<const COUNT: usize>(sums: &[[i32; PANEL]], column: usize) -> [Totals; COUNT] {
    let mut totals = [[vdupq_n_s32(0); REGISTERS]; COUNT];
    for (totals, sums) in totals.iter_mut().zip(sums) {
        for (total, sums) in totals.iter_mut().zip(sums[column..].as_chunks::<LANES>().0) {
            // SAFETY: a register of sums.
            *total = unsafe { vld1q_s32(sums.as_ptr()) };
        }
    }
    totals
}

#[inline]
#[target_feature(enable = "neon")]
fn store_sums<const COUNT: usize>(
    totals: [Totals; COUNT],
    sums: &mut [[i32; PANEL]],
    column: usize,
) {
    for (totals, sums) in totals.into_iter().zip(sums) {
        for (total, sums) in totals
            .into_iter()
            .zip(sums[column..].as_chunks_mut::<LANES>().0)
        {
            // SAFETY: a register of sums.
            unsafe { vst1q_s32(sums.as_mut_ptr(), total) };
        }
    }
}

const _: () = assert!(
    ROWS.is_multiple_of(DOT_ROWS) && ROWS.is_multiple_of(PAIR_ROWS),
    "a full block is cut into full pieces"
);
