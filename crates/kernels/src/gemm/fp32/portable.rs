//! The GEMM in plain Rust, for processors without a kernel of their own.

use super::{PANEL, Panel};
use crate::rows::Strided;

/// Rows whose sums are kept side by side; with [`COLUMNS`] they fill the registers of most processors.
pub const ROWS: usize = 4;
/// Columns whose sums are kept side by side.
const COLUMNS: usize = 16;

/// Whether the processors that this program is built for all have a fused multiply-add.
pub const IS_FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

pub fn multiply<P: Panel>(
    rows: Strided<'_>,
    panel: &mut P,
    bias: &[f32; PANEL],
    products: &mut [[f32; PANEL]],
) {
    let last = products.len() - 1;
    let inputs = panel.len() / PANEL;
    for (piece, products) in products.chunks_mut(ROWS).enumerate() {
        // The last row stands in for missing ones; their results are dropped.
        let rows: [&[f32]; ROWS] = std::array::from_fn(|row| {
            let row = (piece * ROWS + row).min(last);
            &rows.floats[row * rows.stride..][..inputs]
        });
        for column in (0..PANEL).step_by(COLUMNS) {
            let sums = multiply_piece(rows, panel, bias, column);
            for (product, sums) in products.iter_mut().zip(sums) {
                product[column..][..COLUMNS].copy_from_slice(&sums);
            }
        }
    }
}

#[inline(always)]
fn multiply_piece<P: Panel>(
    rows: [&[f32]; ROWS],
    panel: &mut P,
    bias: &[f32; PANEL],
    column: usize,
) -> [[f32; COLUMNS]; ROWS] {
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for sums in &mut sums {
        sums.copy_from_slice(&bias[column..][..COLUMNS]);
    }
    for input in 0..panel.len() / PANEL {
        let weights: [f32; COLUMNS] = panel.read(input * PANEL + column);
        for (sums, row) in sums.iter_mut().zip(rows) {
            let activation = row[input];
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = multiply_add(activation, weight, *sum);
            }
        }
    }
    sums
}

/// One rounding where the processor has an instruction for it; a function of the library would be far slower than two.
#[inline(always)]
fn multiply_add(left: f32, right: f32, sum: f32) -> f32 {
    if IS_FUSED {
        left.mul_add(right, sum)
    } else {
        left * right + sum
    }
}
