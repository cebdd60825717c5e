//! Rows as bytes, and what makes floats of their products again.

use super::{LANES, greater, lesser, round, whole};
use crate::product::PANEL;
use crate::product::bytes::InputWeights;

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
