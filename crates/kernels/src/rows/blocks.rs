//! Matrix multiplication of floats that were not packed beforehand, for attention.

use super::LANES;

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

impl Strided<'_> {
    /// The rows from `first` on.
    ///
    /// # Panics
    /// If the floats end before that row.
    #[inline(always)]
    pub fn from_row(self, first: usize) -> Self {
        Self {
            floats: &self.floats[first * self.stride..],
            ..self
        }
    }

    /// Whether there are `rows` rows of `length` floats each.
    pub const fn has(&self, rows: usize, length: usize) -> bool {
        let Some(last) = rows.checked_sub(1) else {
            return true;
        };
        let Some(start) = last.checked_mul(self.stride) else {
            return false;
        };
        match start.checked_add(length) {
            Some(end) => end <= self.floats.len() && (rows == 1 || length <= self.stride),
            None => false,
        }
    }
}

/// Rows that are multiplied at one time, so that a block that was read serves them all. On arm64 the sums of so many
/// leave some of the 32 registers, of four floats each, for the factors.
const ROWS: usize = if cfg!(target_arch = "aarch64") { 6 } else { 8 };

/// Multiplies `rows` rows of `left`, of the length `inner`, with a matrix that is cut into blocks of columns.
///
/// `blocks` holds for every block of [`LANES`] columns its `inner` rows. `product` has room for all columns of all
/// blocks in each of its rows.
///
/// # Panics
/// If `left` has fewer rows, or `product` has not enough room.
#[inline(always)]
pub fn multiply(
    left: Strided<'_>,
    rows: usize,
    inner: usize,
    blocks: &[Block],
    product: &mut [f32],
) {
    if rows == 0 || inner == 0 {
        return;
    }
    let width = blocks.len() / inner * LANES;
    for (column, block) in blocks.chunks_exact(inner).enumerate() {
        for first in (0..rows).step_by(ROWS) {
            // The last row stands in for missing ones; their results are dropped.
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
