//! Quantization of rows: unsigned bytes, and the parameters that turn sums of their products into floats again.
//!
//! Each row has a scale and a zero point of its own, and keeps its outliers beside its bytes. Every value that
//! [`quantize`] gives is valid in the sense of [`RowQuantization::is_valid`].

use super::{LANES, greater, lesser, round, whole};
use crate::gemm::PANEL;
use crate::gemm::int8::InputWeights;

/// Values of a row that are kept beside its bytes. A few channels are far larger than all others; bytes that had to
/// reach them would be coarse for the rest.
pub const OUTLIERS: usize = 2;

/// How a row was quantized: `value = scale * (byte - zero_point)`, and at an outlier `scale * steps` more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowQuantization {
    /// Distance of two neighbouring values.
    pub scale: f32,
    /// The byte that means zero; it stands in the outliers' places.
    pub zero_point: i32,
    /// The values that the bytes leave out.
    pub outliers: [Outlier; OUTLIERS],
}

/// Floats that describe the quantization of a row: scale, zero point, and the index and steps of each outlier.
pub const QUANTIZATION_FLOATS: usize = 2 + 2 * OUTLIERS;

/// A row's quantization as it lies in a tensor; floats hold its whole numbers exactly.
pub type StoredQuantization = [f32; QUANTIZATION_FLOATS];

impl RowQuantization {
    /// The form for a tensor.
    pub fn stored(&self) -> StoredQuantization {
        let mut floats = [0.0; QUANTIZATION_FLOATS];
        floats[0] = self.scale;
        floats[1] = self.zero_point as f32;
        for (outlier, pair) in self.outliers.iter().zip(floats[2..].as_chunks_mut().0) {
            *pair = [outlier.index as f32, outlier.steps as f32];
        }
        floats
    }

    /// What a tensor holds. It should be [valid](RowQuantization::is_valid): an outlier's index is not checked here.
    #[inline(always)]
    pub fn of(stored: &StoredQuantization) -> Self {
        let mut outliers = [Outlier::default(); OUTLIERS];
        for (outlier, [index, steps]) in outliers.iter_mut().zip(stored[2..].as_chunks().0) {
            outlier.index = *index as usize;
            outlier.steps = *steps as i32;
        }
        Self {
            scale: stored[0],
            zero_point: stored[1] as i32,
            outliers,
        }
    }

    /// Whether a tensor's floats can describe a row of `inputs` values: every number is finite and in its range, and
    /// outliers lie within the row.
    pub fn is_valid(stored: &StoredQuantization, inputs: usize) -> bool {
        let [scale, zero_point, outliers @ ..] = stored;
        let outliers = outliers.as_chunks().0;
        scale.is_finite()
            && *scale >= 0.0
            && (0.0..=LEVELS).contains(zero_point)
            && outliers.iter().all(|[index, steps]| {
                (0.0..inputs as f32).contains(index) && steps.abs() <= MOST_STORED_STEPS
            })
    }
}

/// A value that is not among the bytes of its row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Outlier {
    /// Its index in the row.
    pub index: usize,
    /// The value, in steps of the row's scale.
    pub steps: i32,
}

/// Parameters of the columns of one panel, with which its sums become floats.
#[derive(Debug, Clone, Copy)]
pub struct ColumnParameters<'a> {
    /// Scale of the weights.
    pub scale: &'a [f32; PANEL],
    /// Sum of the quantized weights.
    pub sum: &'a [i32; PANEL],
    /// Bias.
    pub bias: &'a [f32; PANEL],
}

/// Steps between the least and the greatest byte.
const LEVELS: f32 = 255.0;
/// Steps that an outlier is away from zero at most: with all its weights at their greatest, its part of a sum stays
/// far below 2^31.
const OUTLIER_STEPS: f32 = 1_000_000.0;
/// The same with the rounding of its inverse scale.
const MOST_STORED_STEPS: f32 = OUTLIER_STEPS + 1.0;

/// Quantizes a row to bytes between its least and its greatest value, but for its outliers; zero is always among them.
/// The row is the same afterwards.
///
/// # Panics
/// If the row is empty.
#[inline(always)]
pub fn quantize(row: &mut [f32], bytes: &mut [u8]) -> RowQuantization {
    let mut values = [0.0; OUTLIERS];
    let mut outliers = [Outlier::default(); OUTLIERS];
    for (outlier, value) in outliers.iter_mut().zip(&mut values) {
        outlier.index = index_of_largest(row);
        *value = std::mem::take(&mut row[outlier.index]);
    }
    let (least, greatest) = range(row);
    let scale = ((greatest - least) / LEVELS).max(values[0].abs() / OUTLIER_STEPS);
    let mut quantization = RowQuantization {
        scale: 0.0,
        zero_point: 0,
        outliers,
    };
    if scale > f32::MIN_POSITIVE {
        let inverse = 1.0 / scale;
        let zero_point = round(-least * inverse);
        for (byte, value) in bytes.iter_mut().zip(&*row) {
            *byte = whole(lesser(greater(value * inverse + zero_point, 0.0), LEVELS)) as u8;
        }
        quantization.scale = scale;
        quantization.zero_point = zero_point as i32;
        for (outlier, value) in quantization.outliers.iter_mut().zip(values) {
            outlier.steps = whole(value * inverse);
        }
    } else {
        bytes.fill(0);
    }
    // In the opposite order: a row shorter than its outliers has one index twice.
    for (outlier, value) in outliers.iter().zip(values).rev() {
        row[outlier.index] = value;
    }
    quantization
}

/// Index of the value furthest from zero.
#[inline(always)]
fn index_of_largest(row: &[f32]) -> usize {
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
    let index = row[before..].iter().position(|&value| size(value) == most);
    before + index.unwrap_or(0)
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
    // Compilers make a detour of many instructions from one loop for both.
    for chunk in chunks {
        for lane in 0..LANES {
            least[lane] = lesser(least[lane], chunk[lane]);
        }
    }
    for chunk in chunks {
        for lane in 0..LANES {
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

/// Turns a row's sums with one panel of weights into floats.
///
/// Sums of valid numbers never leave 32 bits; others wrap.
///
/// # Panics
/// If an outlier's index is beyond the panel's inputs.
#[inline(always)]
pub fn dequantize_sums(
    sums: &[i32; PANEL],
    quantization: &RowQuantization,
    panel: &[i8],
    columns: ColumnParameters<'_>,
    floats: &mut [f32; PANEL],
) {
    let [first, second] = quantization.outliers;
    let weights = [first, second].map(|outlier| InputWeights::of(panel, outlier.index));
    for column in 0..PANEL {
        let exact = sums[column]
            .wrapping_sub(quantization.zero_point.wrapping_mul(columns.sum[column]))
            .wrapping_add(first.steps.wrapping_mul(weights[0].weight(column)))
            .wrapping_add(second.steps.wrapping_mul(weights[1].weight(column)));
        floats[column] =
            exact as f32 * (quantization.scale * columns.scale[column]) + columns.bias[column];
    }
}
