//! GEMM in fp32: rows of activations times a matrix of weights, plus a bias.
//!
//! Weights are stored as 32-bit floats or as halves, which are widened exactly when they are multiplied. Owns their packed
//! layout, the same for both, and the instructions that multiply them. Every result is one sum: it starts with the bias
//! and adds one input after the other, each with a single rounding, whatever is multiplied beside it. All processors with a
//! fused multiply-add therefore give the same bits.

#[cfg(target_arch = "aarch64")]
mod arm64;
mod panel;
mod portable;
mod weight;
#[cfg(target_arch = "x86_64")]
mod x86;

use self::panel::Panel;
pub use self::weight::Weight;
use super::{PANEL, ROWS};
use crate::rows::Strided;

/// Index of the weight of an input and an output in a packed matrix with `inputs` inputs.
pub const fn packed_index(output: usize, input: usize, inputs: usize) -> usize {
    let panel = output / PANEL * PANEL * inputs;
    panel + input * PANEL + output % PANEL
}

instruction_sets! {
    "x86_64" is_x86_feature_detected {
        /// Sixteen floats at a time.
        Avx512 "AVX-512" ["avx512f"]
        /// Eight floats at a time; halves are widened by F16C.
        Avx2 "AVX2" ["avx2" "fma" "f16c"]
    }
    "aarch64" is_aarch64_feature_detected {
        /// Four floats at a time.
        Neon "NEON" ["neon"]
    }
}

impl InstructionSet {
    /// Whether it multiplies and adds with a single rounding: all that do give the same bits.
    pub const fn is_fused(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 | Kind::Avx2 => true,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => true,
            Kind::Portable => portable::IS_FUSED,
        }
    }

    /// Multiplies as many rows as there are `products` with one panel of a packed matrix. A row is as long as the matrix has
    /// inputs, which the panel's length tells.
    ///
    /// # Panics
    /// If `rows` has fewer rows, or the panel is not made of whole inputs.
    #[inline]
    pub fn multiply<W: Weight>(
        self,
        rows: Strided<'_>,
        panel: &[W],
        bias: &[f32; PANEL],
        products: &mut [[f32; PANEL]],
    ) {
        assert!(panel.len().is_multiple_of(PANEL));
        assert!(rows.has(products.len(), panel.len() / PANEL));
        if !products.is_empty() {
            W::multiply(self, rows, panel, bias, products);
        }
    }

    /// Rows for which a kernel reads every weight once.
    const fn rows_at_once(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => ROWS,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => x86::FEW_ROWS,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => arm64::FEW_ROWS,
            Kind::Portable => portable::ROWS,
        }
    }

    /// Multiplies 1 to [`ROWS`] rows.
    #[inline]
    fn multiply_block<P: Panel>(
        self,
        rows: Strided<'_>,
        mut panel: P,
        bias: &[f32; PANEL],
        products: &mut [[f32; PANEL]],
    ) {
        let panel = &mut panel;
        assert!((1..=ROWS).contains(&products.len()));
        assert!(rows.has(products.len(), panel.len() / PANEL));
        match self.0 {
            // SAFETY: only detection makes an instruction set, and the lengths were checked above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { x86::avx512(rows, panel, bias, products) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::avx2(rows, panel, bias, products) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => unsafe { arm64::neon(rows, panel, bias, products) },
            Kind::Portable => portable::multiply(rows, panel, bias, products),
        }
    }
}

#[cfg(test)]
mod tests;
