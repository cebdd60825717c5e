//! Which weights are stored as halves, IEEE's 16-bit floats.
//!
//! Owns the rule that rounding moves no weight of a matrix by more than 2^-11 of its matrix's largest: what a half's own
//! precision is for the largest. Values beyond the range of halves break it, and matrices that consist of tiny values only.

use half::f16;
use half::slice::HalfFloatSliceExt;

use super::checkpoint::Checkpoint;
use super::error::Error;
use super::weights::{matrices, positions, words};
use crate::graph::{self, TABLES, WeightPrecision, Weights};
use crate::precision::Precision;
use crate::sentence_transformers::Pooling;

/// Half of the distance of two neighbouring halves, as a part of their size.
const PRECISION: f32 = 1.0 / 2048.0;

/// Weights, each rounded to the nearest half, halves to even.
pub fn rounded(weights: &[f32]) -> Vec<f16> {
    let mut halves = vec![f16::ZERO; weights.len()];
    halves.convert_from_f32_slice(weights);
    halves
}

/// The names in the graph of the checkpoint's matrices and tables that halves cannot hold.
pub fn not_held(checkpoint: &Checkpoint, pooling: Pooling) -> Result<Vec<String>, Error> {
    let precision = WeightPrecision {
        precision: Precision::Fp16,
        kept_in_fp32: &[],
    };
    let layout = graph::layout(&checkpoint.architecture, pooling, precision);
    let mut not_held = Vec::new();
    if !tables_are_held(checkpoint)? {
        not_held.push(TABLES.to_owned());
    }
    for (weights, _) in layout.weights {
        if let Weights::Matrices(linear) = weights
            && linear.precision == Precision::Fp16
            && !Rounding::of(&matrices(checkpoint, &linear)?).is_held()
        {
            not_held.push(linear.name);
        }
    }
    for name in &not_held {
        log::info!("{name} stays in fp32: halves cannot hold its values");
    }
    Ok(not_held)
}

fn tables_are_held(checkpoint: &Checkpoint) -> Result<bool, Error> {
    let mut rounding = Rounding::default();
    for chunk in words(checkpoint)?.row_chunks() {
        rounding.add(&chunk.read()?);
    }
    Ok(rounding.is_held() && Rounding::of(&positions(checkpoint)?).is_held())
}

/// What rounding does to weights.
#[derive(Debug, Default)]
struct Rounding {
    /// The largest weight, without its sign.
    largest: f32,
    /// The greatest difference that rounding makes; infinite for a weight beyond the range of halves.
    error: f32,
}

impl Rounding {
    fn of(weights: &[f32]) -> Self {
        let mut rounding = Self::default();
        rounding.add(weights);
        rounding
    }

    fn add(&mut self, weights: &[f32]) {
        for (weight, half) in weights.iter().zip(rounded(weights)) {
            self.largest = self.largest.max(weight.abs());
            self.error = self.error.max((weight - half.to_f32()).abs());
        }
    }

    fn is_held(&self) -> bool {
        self.error <= self.largest * PRECISION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_held_unless_one_is_too_large_or_all_are_tiny() {
        for (weights, is_held) in [
            (&[0.1, -0.03, 3.0][..], true),
            (&[65_504.0, 0.1], true),
            (&[65_519.0, 0.1], true),
            (&[65_520.0, 0.1], false),
            (&[-1e30, 0.1], false),
            // Beside a large weight a tiny one may vanish; alone it may not.
            (&[1.0, 1e-9], true),
            (&[1e-9], false),
            (&[3.1e-6, -1e-6], false),
            (&[0.0, 0.0], true),
            (&[], true),
        ] {
            assert_eq!(Rounding::of(weights).is_held(), is_held, "{weights:?}");
        }
    }

    #[test]
    fn a_tie_is_rounded_to_the_even_half() {
        let step = 2.0_f32.powi(-10);
        for (weight, half) in [
            (1.0 + step / 2.0, 1.0),
            (1.0 + step * 1.5, 1.0 + 2.0 * step),
        ] {
            assert_eq!(rounded(&[weight])[0].to_f32(), half);
        }
    }
}
