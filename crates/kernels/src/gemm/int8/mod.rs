//! GEMM of quantized numbers: unsigned 8-bit activations times signed 8-bit weights, with 32-bit sums.
//!
//! Owns the packed layout of the weights and the instructions that multiply them. The sums are exact on every processor:
//! no instruction is used whose 16-bit sums could overflow, so processors differ in speed only.

#[cfg(target_arch = "aarch64")]
mod arm64;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::{PANEL, ROWS};

/// Inputs whose weights lie side by side in each column: as many as one instruction multiplies and adds.
pub const GROUP: usize = 4;

/// Bytes of a panel that belong to one group of inputs.
const STEP: usize = PANEL * GROUP;

/// Inputs for which no intermediate sum can leave 32 bits, with room for the outliers that are added to it.
pub const MAX_INPUTS: usize = 32 * 1024;

/// Sums of up to [`ROWS`] rows with the columns of a panel.
pub type Sums = [[i32; PANEL]; ROWS];

/// Whether rows of `inputs` bytes can be multiplied: a multiple of [`GROUP`], at most [`MAX_INPUTS`].
pub const fn fits(inputs: usize) -> bool {
    inputs > 0 && inputs <= MAX_INPUTS && inputs.is_multiple_of(GROUP)
}

/// Index of the weight of an input and an output in a packed matrix with `inputs` inputs.
pub const fn packed_index(output: usize, input: usize, inputs: usize) -> usize {
    let panel = output / PANEL * PANEL * inputs;
    panel + input / GROUP * STEP + output % PANEL * GROUP + input % GROUP
}

/// Sums of the weights of each column of a panel.
pub fn column_sums(panel: &[i8]) -> [i32; PANEL] {
    let mut sums = [0; PANEL];
    for step in panel.as_chunks::<STEP>().0 {
        for (sum, weights) in sums.iter_mut().zip(as_groups(step)) {
            *sum += weights.iter().copied().map(i32::from).sum::<i32>();
        }
    }
    sums
}

instruction_sets! {
    "x86_64" is_x86_feature_detected {
        /// Four products and their sum in one instruction, 64 bytes at a time.
        Avx512Vnni "AVX-512 VNNI" ["avx512f" "avx512bw" "avx512vnni"]
        /// The same, 32 bytes at a time.
        AvxVnni "AVX VNNI" ["avx2" "avxvnni"]
        /// Two 16-bit products and their sum in one instruction.
        Avx2 "AVX2 without VNNI" ["avx2"]
    }
    "aarch64" is_aarch64_feature_detected {
        /// Eight products of unsigned and signed bytes and their sum, for two rows and two columns in one instruction.
        NeonI8mm "NEON with I8MM" ["neon" "i8mm"]
        /// Four products of signed bytes and their sum in one instruction: activations are multiplied minus 128.
        NeonDotprod "NEON with dot products" ["neon" "dotprod"]
        /// Products of 16 bits, added in pairs.
        Neon "NEON without dot products" ["neon"]
    }
}

impl InstructionSet {
    /// Multiplies at most [`ROWS`] rows with one panel of a packed matrix. A row is as long as the matrix has inputs,
    /// which the panel's length tells. Rows of `sums` beyond those of `rows` keep their values.
    ///
    /// `column_sums` are the sums of the weights of each column. Some processors multiply signed bytes only; from these
    /// sums they know what the activations' offset has contributed. They must be the panel's for the products to be
    /// right.
    ///
    /// # Panics
    /// If the panel's inputs do not [fit](fits), the last row is not whole, or there are more than [`ROWS`] rows.
    #[inline]
    #[cfg_attr(
        not(target_arch = "aarch64"),
        expect(
            unused_variables,
            reason = "only arm64 has processors for signed bytes"
        )
    )]
    pub fn multiply(self, rows: &[u8], panel: &[i8], column_sums: &[i32; PANEL], sums: &mut Sums) {
        let inputs = panel.len() / PANEL;
        assert!(fits(inputs) && panel.len().is_multiple_of(PANEL));
        assert!(rows.len().is_multiple_of(inputs) && rows.len() / inputs <= ROWS);
        match self.0 {
            // SAFETY: only detection makes an instruction set, and the lengths were checked above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512Vnni => unsafe { x86::avx512_vnni(rows, inputs, panel, sums) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::AvxVnni => unsafe { x86::avx_vnni(rows, inputs, panel, sums) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::avx2(rows, inputs, panel, sums) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Kind::NeonI8mm => unsafe { arm64::i8mm(rows, inputs, panel, sums) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Kind::NeonDotprod => unsafe { arm64::dotprod(rows, inputs, panel, column_sums, sums) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => unsafe { arm64::neon(rows, inputs, panel, column_sums, sums) },
            Kind::Portable => portable::multiply(rows, inputs, panel, sums),
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
