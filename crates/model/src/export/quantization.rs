//! Symmetric quantization of weights to signed bytes.
//!
//! Every row has a scale of its own, so that its largest absolute weight becomes 127. The error of a weight is at most
//! half a scale.

const LARGEST_QUANTIZED: f32 = 127.0;

/// A row of weights as `values * scale`.
#[derive(Debug, PartialEq)]
pub struct QuantizedRow {
    /// From -127 to 127.
    pub values: Vec<i8>,
    /// Difference between two neighbouring values; 0 for a row of zeros.
    pub scale: f32,
}

impl QuantizedRow {
    /// Quantizes a row of finite weights.
    pub fn new(weights: &[f32]) -> Self {
        let largest = weights
            .iter()
            .fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
        if largest <= f32::MIN_POSITIVE {
            return Self {
                values: vec![0; weights.len()],
                scale: 0.0,
            };
        }
        let scale = largest / LARGEST_QUANTIZED;
        let quantize = |weight: &f32| {
            (weight / scale)
                .round_ties_even()
                .clamp(-LARGEST_QUANTIZED, LARGEST_QUANTIZED) as i8
        };
        Self {
            values: weights.iter().map(quantize).collect(),
            scale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantized_row_is_off_by_at_most_half_a_scale_and_uses_the_whole_range() {
        let weights: Vec<f32> = (0..100)
            .map(|index| ((index * 37 % 100) as f32 - 40.0) * 0.01)
            .collect();
        let QuantizedRow { values, scale } = QuantizedRow::new(&weights);
        assert_eq!(
            values.iter().map(|value| value.unsigned_abs()).max(),
            Some(127)
        );
        for (weight, value) in weights.iter().zip(values) {
            assert!((f32::from(value) * scale - weight).abs() <= 0.5001 * scale);
        }
    }

    #[test]
    fn a_row_of_zeros_stays_zero() {
        let QuantizedRow { values, scale } = QuantizedRow::new(&[0.0; 3]);
        assert_eq!((values, scale), (vec![0; 3], 0.0));
    }
}
