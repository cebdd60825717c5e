//! The numbers in which weights are stored.
//!
//! Widening to fp32 is exact, so a weight means the same number on every processor.

use half::f16;

use super::panel::{Stored, Widening};
use super::{InstructionSet, PANEL};
use crate::gemm::{ROWS, rows_per_block};
use crate::rows::Strided;
use crate::threads::with_scratch;

/// A stored weight: a 32-bit float, or an IEEE half.
pub trait Weight: Copy + Send + Sync + 'static {
    /// The same number in fp32.
    fn widen(self) -> f32;

    /// Multiplies at least one row with a panel, as [`InstructionSet::multiply`] says.
    fn multiply(
        instructions: InstructionSet,
        rows: Strided<'_>,
        panel: &[Self],
        bias: &[f32; PANEL],
        products: &mut [[f32; PANEL]],
    );
}

impl Weight for f32 {
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }

    fn multiply(
        instructions: InstructionSet,
        rows: Strided<'_>,
        panel: &[Self],
        bias: &[f32; PANEL],
        products: &mut [[f32; PANEL]],
    ) {
        let block = rows_per_block(products.len(), ROWS);
        for (index, products) in products.chunks_mut(block).enumerate() {
            let rows = rows.from_row(index * block);
            instructions.multiply_block(rows, Stored(panel), bias, products);
        }
    }
}

impl Weight for f16 {
    /// The half's bits, moved to where fp32 has them, are the number divided by 2^112, because the exponents begin at -14
    /// and -126. That holds for subnormal halves, too. Unlike a conversion with branches it is made of vector instructions.
    #[inline(always)]
    fn widen(self) -> f32 {
        const SIGN: u32 = 0x8000;
        const INFINITE: u32 = 0x7C00;
        /// 2^112.
        const SCALE: f32 = f32::from_bits((127 + 112) << 23);
        const INFINITE_FP32: u32 = 0x7F80_0000;
        let bits = u32::from(self.to_bits());
        let size = bits & !SIGN;
        let widened = (f32::from_bits(size << 13) * SCALE).to_bits();
        let widened = if size >= INFINITE {
            widened | INFINITE_FP32
        } else {
            widened
        };
        f32::from_bits(widened | (bits & SIGN) << 16)
    }

    /// Widening costs as much as two multiplications and more, so the first rows keep what they widen for the others.
    fn multiply(
        instructions: InstructionSet,
        rows: Strided<'_>,
        panel: &[Self],
        bias: &[f32; PANEL],
        products: &mut [[f32; PANEL]],
    ) {
        let first = rows_per_block(products.len(), instructions.rows_at_once());
        if products.len() <= first {
            instructions.multiply_block(rows, Stored(panel), bias, products);
            return;
        }
        with_scratch(panel.len(), |floats| {
            let (products, others) = products.split_at_mut(first);
            let widening = Widening::new(panel, floats);
            instructions.multiply_block(rows, widening, bias, products);
            f32::multiply(instructions, rows.from_row(first), floats, bias, others);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_widened_to_its_own_number() {
        for bits in 0..=u16::MAX {
            let half = f16::from_bits(bits);
            let (found, expected) = (half.widen(), half.to_f32_const());
            if expected.is_nan() {
                assert!(found.is_nan(), "{bits:#06x}");
            } else {
                assert_eq!(found.to_bits(), expected.to_bits(), "{bits:#06x}");
            }
        }
    }
}
