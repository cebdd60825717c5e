//! The element types of a checkpoint's tensors, widened or rounded to fp32 as PyTorch does.

use ::safetensors::Dtype;
use half::{bf16, f16};

/// An element type that can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    F16,
    BF16,
    F32,
    F64,
}

impl ElementType {
    /// What an error says can be exported.
    pub const SUPPORTED: &str = "F16, BF16, F32 and F64";

    /// `None` for a type that cannot be exported: integers, and the bytes of a quantized checkpoint.
    pub fn of(dtype: Dtype) -> Option<Self> {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the format's list of types grows"
        )]
        match dtype {
            Dtype::F16 => Some(Self::F16),
            Dtype::BF16 => Some(Self::BF16),
            Dtype::F32 => Some(Self::F32),
            Dtype::F64 => Some(Self::F64),
            _ => None,
        }
    }

    /// Bytes of one element.
    pub fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The elements in `bytes`, little-endian. Halves are widened exactly; doubles are rounded to the nearest fp32, which
    /// is infinite beyond the range of fp32.
    pub fn to_floats(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F16 => convert(bytes, |element| f16::from_le_bytes(element).to_f32()),
            Self::BF16 => convert(bytes, |element| bf16::from_le_bytes(element).to_f32()),
            Self::F32 => convert(bytes, f32::from_le_bytes),
            Self::F64 => convert(bytes, |element| f64::from_le_bytes(element) as f32),
        }
    }
}

fn convert<const BYTES: usize>(bytes: &[u8], convert: impl Fn([u8; BYTES]) -> f32) -> Vec<f32> {
    let elements = bytes.as_chunks().0.iter();
    elements.map(|element| convert(*element)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(element_type: ElementType, bytes: &[u8]) -> f32 {
        let [float] = element_type.to_floats(bytes)[..] else {
            panic!("{element_type:?} {bytes:?}");
        };
        float
    }

    #[test]
    fn every_finite_half_is_widened_to_the_value_that_its_bits_mean() {
        for bits in 0..=u16::MAX {
            let (sign, exponent, fraction) = (bits >> 15, i32::from(bits >> 10 & 31), bits & 1023);
            if exponent == 31 {
                continue;
            }
            let (leading, exponent) = if exponent == 0 {
                (0, 1)
            } else {
                (1024, exponent)
            };
            let magnitude = f32::from(leading + fraction) * 2.0_f32.powi(exponent - 25);
            let meant = if sign == 1 { -magnitude } else { magnitude };
            let widened = one(ElementType::F16, &bits.to_le_bytes());
            assert_eq!(widened.to_bits(), meant.to_bits(), "{bits:#06x}");
        }
    }

    #[test]
    fn a_bfloat16_is_the_upper_half_of_its_float() {
        for bits in (0..=u16::MAX).filter(|bits| bits & 0x7F80 != 0x7F80) {
            let widened = one(ElementType::BF16, &bits.to_le_bytes());
            assert_eq!(widened.to_bits(), u32::from(bits) << 16);
        }
    }

    #[test]
    fn a_double_is_rounded_to_the_nearest_float_and_a_tie_to_the_even_one() {
        let half_step = f64::from(f32::EPSILON) / 2.0;
        for (double, nearest) in [
            (0.1, 0.1_f32),
            (1.0 + half_step, 1.0),
            (1.0 + half_step * 1.001, 1.0 + f32::EPSILON),
            (1.0 + half_step * 3.0, 1.0 + f32::EPSILON * 2.0),
            (-1e-46, -0.0),
            (1e39, f32::INFINITY),
        ] {
            let rounded = one(ElementType::F64, &double.to_le_bytes());
            assert_eq!(rounded.to_bits(), nearest.to_bits(), "{double}");
        }
    }
}
