//! Random numbers as a function of a seed and an index.
//!
//! Invariant: they are the same on every machine and in every order, because synthetic checkpoints depend on them.

/// A stream of random numbers. Each is computed from its index alone.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    seed: u64,
}

/// Mean and standard deviation of the sum of four uniform 16-bit numbers.
const SUM_MEAN: i64 = 2 * 65_535;
const SUM_DEVIATION: f32 = 37_837.2;

impl Stream {
    /// Stream number `number`.
    pub fn new(number: u64) -> Self {
        Self {
            seed: scramble(number),
        }
    }

    /// 64 uniformly random bits.
    pub fn bits(self, index: u64) -> u64 {
        /// The golden ratio in 64 bits, so that neighbouring indices differ in half of their bits.
        const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;
        scramble(self.seed.wrapping_add(index.wrapping_mul(STRIDE)))
    }

    /// An approximately normal number with mean 0, standard deviation 1 and an absolute value of at most 3.47.
    ///
    /// It is a sum of integers, because floating-point functions differ in the last bit between machines.
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
