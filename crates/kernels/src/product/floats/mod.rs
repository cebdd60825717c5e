//! Products of floats: rows of activations with a matrix of weights, and a bias.
//!
//! Owns the order in which the floats of a matrix lie, and the instructions that multiply them. Every number of a product
//! is one sum, begun with the bias and continued input by input with a single rounding each, whatever is multiplied
//! beside it: all processors that multiply and add in one instruction give the same bits.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::LazyLock;

use super::{PANEL, ROWS};
use crate::rows::Strided;

/// Where the weight of an input and an output lies in a matrix with `inputs` inputs.
pub const fn place(output: usize, input: usize, inputs: usize) -> usize {
    let panel = output / PANEL * PANEL * inputs;
    panel + input * PANEL + output % PANEL
}

/// How this processor multiplies floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instructions {
    /// Sixteen at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Eight at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Whatever the compiler makes of it.
    Portable,
}

static DETECTED: LazyLock<Instructions> = LazyLock::new(Instructions::choose);

impl Instructions {
    /// The best that this processor has.
    pub fn detect() -> Self {
        *DETECTED
    }

    fn choose() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// What they are called.
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "AVX2",
            Self::Portable => "those of its architecture",
        }
    }

    /// Multiplies as many rows of `inputs` floats as `products` has room for, at most [`ROWS`], with one panel of a
    /// matrix.
    ///
    /// # Panics
    /// If there are more rows or too few floats, or the panel is not one of a matrix with `inputs` inputs.
    #[inline]
    pub fn multiply(
        self,
        rows: Strided<'_>,
        panel: &[f32],
        bias: &[f32; PANEL],
        products: &mut [[f32; PANEL]],
    ) {
        let inputs = panel.len() / PANEL;
        let count = products.len();
        assert!((1..=ROWS).contains(&count) && panel.len() == inputs * PANEL);
        assert!(rows.stride >= inputs && rows.floats.len() >= (count - 1) * rows.stride + inputs);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::avx512(rows, panel, bias, products),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::avx2(rows, panel, bias, products),
            Self::Portable => portable::multiply(rows, panel, bias, products),
        }
    }
}

#[cfg(test)]
mod tests;
