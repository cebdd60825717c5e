//! Arithmetic on rows of floats, for whatever vector instructions the processor has.
//!
//! Everything here becomes part of its caller, which is compiled once for each set of instructions and chooses at run
//! time (the program is built for the oldest processor of its architecture). Sums run in a fixed number of lanes, so a
//! row gives the same result on every processor, and never depends on the rows beside it. What a closure does is
//! compiled for the oldest processor, so there are none where it matters.

use super::product::{InputWeights, PANEL};

/// Partial sums that are kept side by side; as many as the widest registers hold.
pub const LANES: usize = 16;

/// Values of a row that are kept beside its bytes. A few channels are far larger than all others; bytes that had to
/// reach them would be coarse for the rest.
pub const OUTLIERS: usize = 2;

/// How the numbers of a row were rounded: `value = scale * (byte - zero)`, and at an outlier `scale * steps` more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounding {
    /// Distance of two neighbouring values.
    pub scale: f32,
    /// The byte that means zero; it stands in the outliers' places.
    pub zero: i32,
    /// The values that the bytes leave out.
    pub outliers: [Outlier; OUTLIERS],
}

/// Numbers that describe the rounding of a row: scale, zero, and the place and steps of each outlier.
pub const ROUNDING: usize = 2 + 2 * OUTLIERS;

/// A rounding as it lies in a tensor; floats hold its whole numbers exactly.
pub type StoredRounding = [f32; ROUNDING];

impl Rounding {
    /// The form for a tensor.
    pub fn stored(&self) -> StoredRounding {
        let mut floats = [0.0; ROUNDING];
        floats[0] = self.scale;
        floats[1] = self.zero as f32;
        for (outlier, pair) in self.outliers.iter().zip(floats[2..].as_chunks_mut().0) {
            *pair = [outlier.place as f32, outlier.steps as f32];
        }
        floats
    }

    /// What a tensor holds.
    #[inline(always)]
    pub fn of(stored: &StoredRounding) -> Self {
        let mut outliers = [Outlier::default(); OUTLIERS];
        for (outlier, [place, steps]) in outliers.iter_mut().zip(stored[2..].as_chunks().0) {
            outlier.place = *place as usize;
            outlier.steps = *steps as i32;
        }
        Self {
            scale: stored[0],
            zero: stored[1] as i32,
            outliers,
        }
    }
}

/// A value that is not among the bytes of its row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Outlier {
    /// Its place in the row.
    pub place: usize,
    /// The value, in steps of the row's scale.
    pub steps: i32,
}

/// What turns the sums of a product back into floats, one value for each column of a panel.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// Scale of the weights.
    pub scale: &'a [f32; PANEL],
    /// Sum of the rounded weights.
    pub sum: &'a [i32; PANEL],
    /// What is added to the product.
    pub bias: &'a [f32; PANEL],
}

/// Scale and shift of a normalisation, and what is added to the variance.
#[derive(Clone, Copy)]
pub struct Normalization<'a> {
    /// Scales.
    pub scale: &'a [f32],
    /// Shifts.
    pub shift: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
}

/// Steps between the least and the greatest byte.
const LEVELS: f32 = 255.0;
/// Steps that an outlier is away from zero at most: with all its weights at their greatest, its share of a sum stays
/// far below 2^31.
const OUTLIER_STEPS: f32 = 1_000_000.0;

/// Rounds a row to bytes between its least and its greatest value, but for its outliers; zero is always among them.
/// The row is the same afterwards.
#[inline(always)]
pub fn quantize(row: &mut [f32], bytes: &mut [u8]) -> Rounding {
    let mut values = [0.0; OUTLIERS];
    let mut outliers = [Outlier::default(); OUTLIERS];
    for (outlier, value) in outliers.iter_mut().zip(&mut values) {
        outlier.place = largest(row);
        *value = std::mem::take(&mut row[outlier.place]);
    }
    let (least, greatest) = range(row);
    let scale = ((greatest - least) / LEVELS).max(values[0].abs() / OUTLIER_STEPS);
    let mut rounding = Rounding {
        scale: 0.0,
        zero: 0,
        outliers,
    };
    if scale > f32::MIN_POSITIVE {
        let inverse = 1.0 / scale;
        let zero = round(-least * inverse);
        for (byte, value) in bytes.iter_mut().zip(&*row) {
            *byte = whole(lesser(greater(value * inverse + zero, 0.0), LEVELS)) as u8;
        }
        rounding.scale = scale;
        rounding.zero = zero as i32;
        for (outlier, value) in rounding.outliers.iter_mut().zip(values) {
            outlier.steps = whole(value * inverse);
        }
    } else {
        bytes.fill(0);
    }
    // In the opposite order: a row shorter than its outliers has one place twice.
    for (outlier, value) in outliers.iter().zip(values).rev() {
        row[outlier.place] = value;
    }
    rounding
}

/// The place of the value furthest from zero.
#[inline(always)]
fn largest(row: &[f32]) -> usize {
    let mut most = 0;
    for &value in row {
        most = most.max(size(value));
    }
    // Whole chunks first: comparing sixteen values costs as much as comparing one.
    let mut before = 0;
    for chunk in row.as_chunks::<LANES>().0 {
        let mut found = false;
        for &value in chunk {
            found |= size(value) == most;
        }
        if found {
            break;
        }
        before += LANES;
    }
    let place = row[before..].iter().position(|&value| size(value) == most);
    before + place.unwrap_or(0)
}

/// A number that grows with the distance from zero; comparing it is one instruction, and comparing floats is three.
#[inline(always)]
fn size(value: f32) -> u32 {
    value.abs().to_bits()
}

/// The least and the greatest value of a row, or zero.
#[inline(always)]
fn range(row: &[f32]) -> (f32, f32) {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut least = [0.0_f32; LANES];
    let mut greatest = [0.0_f32; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            least[lane] = lesser(least[lane], chunk[lane]);
            greatest[lane] = greater(greatest[lane], chunk[lane]);
        }
    }
    let mut ends = (0.0, 0.0);
    for lane in 0..LANES {
        ends = (lesser(ends.0, least[lane]), greater(ends.1, greatest[lane]));
    }
    for &value in rest {
        ends = (lesser(ends.0, value), greater(ends.1, value));
    }
    ends
}

/// The greater of two numbers. Unlike [`f32::max`] it may keep what is not a number, and is one instruction for it.
#[inline(always)]
fn greater(left: f32, right: f32) -> f32 {
    if right > left { right } else { left }
}

/// The lesser of two numbers; see [`greater`].
#[inline(always)]
fn lesser(left: f32, right: f32) -> f32 {
    if right < left { right } else { left }
}

/// Turns a row's sums with a panel into floats.
#[inline(always)]
pub fn dequantize(
    sums: &[i32; PANEL],
    rounding: &Rounding,
    panel: &[i8],
    columns: Columns<'_>,
    floats: &mut [f32; PANEL],
) {
    let [first, second] = rounding.outliers;
    let weights = [first, second].map(|outlier| InputWeights::of(panel, outlier.place));
    for column in 0..PANEL {
        let exact = sums[column] - rounding.zero * columns.sum[column]
            + first.steps * weights[0].weight(column)
            + second.steps * weights[1].weight(column);
        floats[column] =
            exact as f32 * (rounding.scale * columns.scale[column]) + columns.bias[column];
    }
}

/// Adds `other` to a row.
#[inline(always)]
pub fn add(row: &mut [f32], other: &[f32]) {
    for (value, added) in row.iter_mut().zip(other) {
        *value += added;
    }
}

/// Normalises a row to mean 0 and variance 1, then scales and shifts it.
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
        let share = if *value < 0.0 { below } else { 1.0 - below };
        *value *= share;
    }
}

/// Turns a row of scores into shares that sum to 1.
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

/// Turns a row of bytes into floats.
#[inline(always)]
pub fn widen(bytes: &[i8], scale: f32, floats: &mut [f32]) {
    for (float, byte) in floats.iter_mut().zip(bytes) {
        *float = f32::from(*byte) * scale;
    }
}

/// Floats that are multiplied side by side.
pub type Block = [f32; LANES];

/// A matrix whose rows begin every `stride` floats.
#[derive(Clone, Copy)]
pub struct Strided<'a> {
    /// The floats.
    pub floats: &'a [f32],
    /// Distance of two rows, at least the length of a row.
    pub stride: usize,
}

/// Rows that are multiplied at one time, so that a block that was read serves them all.
const ROWS: usize = 8;

/// Multiplies `rows` rows of `left`, of the length `inner`, with a matrix that is cut into blocks of columns.
///
/// `blocks` holds for every block of [`LANES`] columns its `inner` rows. `product` has room for all columns of all
/// blocks in each of its rows.
#[inline(always)]
pub fn multiply(
    left: Strided<'_>,
    rows: usize,
    inner: usize,
    blocks: &[Block],
    product: &mut [f32],
) {
    let width = blocks.len() / inner * LANES;
    for (column, block) in blocks.chunks_exact(inner).enumerate() {
        for first in (0..rows).step_by(ROWS) {
            // The last rows stand in for those that are missing; what they give is not kept.
            let row = |offset: usize| {
                &left.floats[(first + offset).min(rows - 1) * left.stride..][..inner]
            };
            let lefts: [&[f32]; ROWS] = std::array::from_fn(row);
            let mut sums = [[0.0_f32; LANES]; ROWS];
            let block = &block[..inner];
            for index in 0..inner {
                let values = block[index];
                for (sum, left) in sums.iter_mut().zip(lefts) {
                    let factor = left[index];
                    for lane in 0..LANES {
                        sum[lane] = factor.mul_add(values[lane], sum[lane]);
                    }
                }
            }
            for (row, sum) in (first..rows).zip(sums) {
                product[row * width + column * LANES..][..LANES].copy_from_slice(&sum);
            }
        }
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

/// The nearest whole number, halves to even.
#[inline(always)]
fn round(value: f32) -> f32 {
    (value + WHOLE) - WHOLE
}

/// The nearest whole number as an integer.
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
