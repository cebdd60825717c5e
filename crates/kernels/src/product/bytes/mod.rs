//! Products of bytes: rows of unsigned activations with a matrix of signed weights.
//!
//! Owns the order in which the bytes of a matrix lie, and the instructions that multiply them. The sums are exact on
//! every processor: no instruction is used whose sums of 16 bits could overflow, so processors differ in speed only.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::LazyLock;

use super::{PANEL, ROWS};

/// Inputs whose weights lie side by side in each column: as many as one instruction multiplies and adds.
pub const GROUP: usize = 4;

/// Bytes of a panel that belong to one group of inputs.
const STEP: usize = PANEL * GROUP;

/// Sums of up to [`ROWS`] rows with the columns of a panel.
pub type Sums = [[i32; PANEL]; ROWS];

/// Whether rows of `inputs` bytes can be multiplied.
pub const fn fits(inputs: usize) -> bool {
    inputs > 0 && inputs.is_multiple_of(GROUP)
}

/// Where the weight of an input and an output lies in a matrix with `inputs` inputs.
pub const fn place(output: usize, input: usize, inputs: usize) -> usize {
    let panel = output / PANEL * PANEL * inputs;
    panel + input / GROUP * STEP + output % PANEL * GROUP + input % GROUP
}

/// How this processor multiplies bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instructions {
    /// Four products and their sum in one instruction, 64 bytes at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// The same, 32 bytes at a time.
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    /// Two products of 16 bits and their sum in one instruction.
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
            if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bw") {
                return Self::Avx512Vnni;
            }
            if is_x86_feature_detected!("avxvnni") {
                return Self::AvxVnni;
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// What they are called.
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => "AVX-512 VNNI",
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => "AVX VNNI",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "AVX2 without VNNI",
            Self::Portable => "those of its architecture",
        }
    }

    /// Multiplies rows of `inputs` bytes each, at most [`ROWS`], with one panel of a matrix.
    ///
    /// # Panics
    /// If there are more rows, a row is not whole, or the panel is not one of a matrix with `inputs` inputs.
    #[inline]
    pub fn multiply(self, rows: &[u8], inputs: usize, panel: &[i8], sums: &mut Sums) {
        assert!(fits(inputs) && rows.len().is_multiple_of(inputs) && rows.len() <= ROWS * inputs);
        assert_eq!(panel.len(), inputs * PANEL);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => x86::avx512_vnni(rows, inputs, panel, sums),
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => x86::avx_vnni(rows, inputs, panel, sums),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::avx2(rows, inputs, panel, sums),
            Self::Portable => portable::multiply(rows, inputs, panel, sums),
        }
    }
}

/// The weights of one input to the columns of a panel.
#[derive(Clone, Copy)]
pub struct InputWeights<'a> {
    groups: &'a [[i8; GROUP]; PANEL],
    /// Bits that bring the wanted byte of a group to its top.
    up: u32,
}

impl<'a> InputWeights<'a> {
    /// The weights of `input`.
    ///
    /// # Panics
    /// If the panel has no such input.
    #[inline(always)]
    pub fn of(panel: &'a [i8], input: usize) -> Self {
        let step = &panel[input / GROUP * STEP..][..STEP];
        Self {
            groups: as_groups(step),
            up: 8 * (GROUP - 1 - input % GROUP) as u32,
        }
    }

    /// The weight of a column.
    #[inline(always)]
    pub fn weight(self, column: usize) -> i32 {
        let [a, b, c, d] = self.groups[column];
        let group = i32::from_le_bytes([a as u8, b as u8, c as u8, d as u8]);
        // Down again with its sign.
        (group << self.up) >> (8 * (GROUP - 1))
    }
}

#[inline(always)]
fn as_groups(step: &[i8]) -> &[[i8; GROUP]; PANEL] {
    step.as_chunks()
        .0
        .as_array()
        .expect("a step has a group for each column")
}

#[cfg(test)]
mod tests;
