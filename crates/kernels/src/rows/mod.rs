//! Arithmetic on rows of floats, for whatever vector instructions the processor has.
//!
//! Every function is inlined into a caller in [`row_operations`](crate::row_operations) or
//! [`attention`](crate::attention), which is compiled once for each instruction set and dispatches at run time. Sums run in
//! a fixed number of lanes, so a row gives the same result on every processor, and never depends on the rows beside it.
//! Closures are compiled for the baseline processor only, so there are none where it matters.

mod blocks;
mod quantization;

pub use blocks::{Block, Strided, multiply};
pub use quantization::{
    ColumnParameters, OUTLIERS, Outlier, QUANTIZATION_FLOATS, RowQuantization, StoredQuantization,
    dequantize_sums, quantize,
};

/// Partial sums that are kept side by side; as many as the widest registers hold.
pub const LANES: usize = 16;

/// What a row is divided by if its L2 norm is smaller. As in `torch.nn.functional.normalize`.
const SMALLEST_NORM: f32 = 1e-12;

/// Parameters of a layer normalization. Scale and shift are as long as a row.
#[derive(Clone, Copy)]
pub struct Normalization<'a> {
    /// Factor of each column.
    pub scale: &'a [f32],
    /// Added to each column.
    pub shift: &'a [f32],
    /// Added to the variance, so that it is never 0.
    pub epsilon: f32,
}

/// The greater of two numbers. Unlike [`f32::max`] it may keep a NaN, and so it is a single instruction.
#[inline(always)]
fn greater(left: f32, right: f32) -> f32 {
    if right > left { right } else { left }
}

/// The lesser of two numbers; see [`greater`].
#[inline(always)]
fn lesser(left: f32, right: f32) -> f32 {
    if right < left { right } else { left }
}

/// Adds `other` to a row.
#[inline(always)]
pub fn add(row: &mut [f32], other: &[f32]) {
    for (value, added) in row.iter_mut().zip(other) {
        *value += added;
    }
}

/// Layer normalization: a row gets mean 0 and variance 1, and is then scaled and shifted.
#[inline(always)]
pub fn normalize(row: &mut [f32], normalization: Normalization<'_>) {
    let Normalization {
        scale,
        shift,
        epsilon,
    } = normalization;
    let length = row.len() as f32;
    let mean = sum(row, |value| value) / length;
    let variance = sum(row, |value| (value - mean) * (value - mean)) / length;
    let inverse = 1.0 / (variance + epsilon).sqrt();
    for ((value, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
        *value = (*value - mean) * inverse * scale + shift;
    }
}

/// L2 normalization: a row gets length 1; a row of zeros stays as it is. As `torch.nn.functional.normalize`.
#[inline(always)]
pub fn l2_normalize(row: &mut [f32]) {
    let norm = greater(sum(row, |value| value * value).sqrt(), SMALLEST_NORM);
    for value in row {
        *value /= norm;
    }
}

/// Applies `x * Phi(x)`, where Phi is the normal distribution function: the exact GELU.
///
/// The error function is formula 7.1.26 of Abramowitz and Stegun, off by at most 1.5e-7.
#[inline(always)]
pub fn gelu(row: &mut [f32]) {
    for value in row {
        let x = value.abs() * std::f32::consts::FRAC_1_SQRT_2;
        let t = 1.0 / (1.0 + 0.327_591_1 * x);
        let tail = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t
            + 0.254_829_6)
            * t
            * exponential(-x * x);
        // Phi(-|x|) is half of the tail, and Phi(|x|) the rest.
        let below = 0.5 * tail;
        let probability = if *value < 0.0 { below } else { 1.0 - below };
        *value *= probability;
    }
}

/// Softmax: a row of scores becomes probabilities that sum to 1.
#[inline(always)]
pub fn softmax(row: &mut [f32]) {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = greater(lanes[lane], chunk[lane]);
        }
    }
    let mut greatest = f32::NEG_INFINITY;
    for &value in lanes.iter().chain(rest) {
        greatest = greater(greatest, value);
    }
    for value in row.iter_mut() {
        *value = exponential(*value - greatest);
    }
    let inverse = 1.0 / sum(row, |value| value);
    for value in row.iter_mut() {
        *value *= inverse;
    }
}

/// Dequantizes a row of bytes with one scale.
#[inline(always)]
pub fn dequantize_row(bytes: &[i8], scale: f32, floats: &mut [f32]) {
    for (float, byte) in floats.iter_mut().zip(bytes) {
        *float = f32::from(*byte) * scale;
    }
}

#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += term(chunk[lane]);
        }
    }
    let rest: f32 = rest.iter().map(|&value| term(value)).sum();
    sums.iter().sum::<f32>() + rest
}

/// Added to a float below 2^22 in size, this leaves its whole part in the lowest bits: rounding without an instruction
/// that not every processor has.
const WHOLE: f32 = 12_582_912.0;

/// The nearest integer as a float, halves to even.
#[inline(always)]
fn round(value: f32) -> f32 {
    (value + WHOLE) - WHOLE
}

/// The nearest integer.
#[inline(always)]
fn whole(value: f32) -> i32 {
    (value + WHOLE).to_bits().wrapping_sub(WHOLE.to_bits()) as i32
}

/// `e^x` for x <= 0, to about 1e-7 of its value; below -87 it is 0 or next to it.
///
/// `x = n ln 2 + r`; `e^r` is its Taylor polynomial, which for |r| <= 0.35 needs six terms.
#[inline(always)]
fn exponential(x: f32) -> f32 {
    // ln 2 in two parts, of which the first times n is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const SMALLEST: f32 = -87.0;
    let x = greater(x, SMALLEST);
    let n = round(x * std::f32::consts::LOG2_E);
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let e = 1.0
        + r * (1.0
            + r * (0.5
                + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0))))));
    let power = f32::from_bits(((whole(n) + 127) as u32) << 23);
    e * power
}

#[cfg(test)]
mod tests;
