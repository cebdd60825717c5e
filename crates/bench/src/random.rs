//! Random numbers that are a function of a seed and a position, so that no machine, thread or order changes them.

/// A stream of random numbers, each computed from its index alone.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    seed: u64,
}

/// Sum of four uniform 16-bit numbers: where it lies, and how far it spreads.
const SUM_MEAN: i64 = 2 * 65_535;
const SUM_DEVIATION: f32 = 37_837.2;

impl Stream {
    /// The stream number `number`.
    pub fn new(number: u64) -> Self {
        Self {
            seed: scramble(number),
        }
    }

    /// 64 uniformly random bits.
    pub fn bits(self, index: u64) -> u64 {
        /// The golden ratio in 64 bits: neighbouring indices differ in half of their bits.
        const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;
        scramble(self.seed.wrapping_add(index.wrapping_mul(STRIDE)))
    }

    /// A number of nearly normal distribution around 0, with standard deviation 1 and no value beyond 3.47.
    ///
    /// Only integers are added: floating-point functions differ in the last bit from machine to machine.
    pub fn normal(self, index: u64) -> f32 {
        let bits = self.bits(index);
        let sum: u64 = [0, 16, 32, 48]
            .into_iter()
            .map(|shift| (bits >> shift) & 0xffff)
            .sum();
        (sum as i64 - SUM_MEAN) as f32 / SUM_DEVIATION
    }
}

/// A bijection in which every input bit reaches every output bit (the finalizer of `SplitMix64`).
fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_lie_around_zero_with_deviation_one() {
        const COUNT: u64 = 100_000;
        let stream = Stream::new(7);
        let mean = |power| {
            let sum: f64 = (0..COUNT)
                .map(|index| f64::from(stream.normal(index)).powi(power))
                .sum();
            sum / COUNT as f64
        };
        assert!(mean(1).abs() < 0.01, "{}", mean(1));
        assert!((mean(2) - 1.0).abs() < 0.01, "{}", mean(2));
    }

    #[test]
    fn streams_differ() {
        assert_ne!(Stream::new(0).bits(1), Stream::new(1).bits(1));
        assert_ne!(Stream::new(1).bits(0), Stream::new(1).bits(1));
    }
}
