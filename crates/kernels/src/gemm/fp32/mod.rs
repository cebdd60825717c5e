//! GEMM of 32-bit floats: rows of activations times a matrix of weights, plus a bias.
//!
//! Owns the packed layout of the weights and the instructions that multiply them. Every result is one sum: it starts with
//! the bias and adds one input after the other, each with a single rounding, whatever is multiplied beside it. All
//! processors with a fused multiply-add therefore give the same bits.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::LazyLock;

use super::{PANEL, ROWS};
use crate::rows::Strided;

/// Index of the weight of an input and an output in a packed matrix with `inputs` inputs.
pub const fn packed_index(output: usize, input: usize, inputs: usize) -> usize {
    let panel = output / PANEL * PANEL * inputs;
    panel + input * PANEL + output % PANEL
}

/// An instruction set for this GEMM. That a value exists proves that this processor has the instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstructionSet(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Sixteen floats at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Eight floats at a time.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Plain Rust.
    Portable,
}

impl Kind {
    /// From the fastest to the slowest.
    const ALL: &[Self] = &[
        #[cfg(target_arch = "x86_64")]
        Self::Avx512,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        Self::Portable,
    ];

    /// Whether this processor has every instruction that the kernel is compiled with.
    fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::Portable => true,
        }
    }
}

static DETECTED: LazyLock<InstructionSet> = LazyLock::new(|| {
    let fastest = Kind::ALL.iter().find(|kind| kind.is_available());
    InstructionSet(fastest.copied().unwrap_or(Kind::Portable))
});

impl InstructionSet {
    /// The fastest that this processor has.
    pub fn detect() -> Self {
        *DETECTED
    }

    /// All that this processor has, from the fastest to the slowest; the last is portable code.
    pub fn available() -> Vec<Self> {
        let available = Kind::ALL.iter().filter(|kind| kind.is_available());
        available.map(|&kind| Self(kind)).collect()
    }

    /// Whether it multiplies and adds with a single rounding: all that do give the same bits.
    pub const fn is_fused(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 | Kind::Avx2 => true,
            Kind::Portable => portable::IS_FUSED,
        }
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "AVX2",
            Kind::Portable => "those of its architecture",
        }
    }

    /// Multiplies as many rows as `products` has, at most [`ROWS`], with one panel of a packed matrix. A row is as long
    /// as the matrix has inputs, which the panel's length tells.
    ///
    /// # Panics
    /// If there are no or too many rows, `rows` has fewer of them, or the panel is not made of whole inputs.
    #[inline]
    pub fn multiply(
        self,
        rows: Strided<'_>,
        panel: &[f32],
        bias: &[f32; PANEL],
        products: &mut [[f32; PANEL]],
    ) {
        let inputs = panel.len() / PANEL;
        assert!((1..=ROWS).contains(&products.len()) && panel.len().is_multiple_of(PANEL));
        assert!(rows.has(products.len(), inputs));
        match self.0 {
            // SAFETY: only detection makes an instruction set, and the lengths were checked above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { x86::avx512(rows, panel, bias, products) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::avx2(rows, panel, bias, products) },
            Kind::Portable => portable::multiply(rows, panel, bias, products),
        }
    }
}

#[cfg(test)]
mod tests;
