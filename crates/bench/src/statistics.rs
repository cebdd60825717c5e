//! Percentiles of measured times.
//!
//! A distribution has at least one sample, so every percentile exists.

use std::time::Duration;

/// Measured times, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    sorted: Vec<Duration>,
}

impl Distribution {
    /// The distribution of `samples`; `None` without samples.
    pub fn of(mut samples: Vec<Duration>) -> Option<Self> {
        samples.sort_unstable();
        (!samples.is_empty()).then_some(Self { sorted: samples })
    }

    /// Number of samples.
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The percentile, with linear interpolation between the two nearest samples.
    pub fn percentile(&self, percent: f64) -> Duration {
        let rank = (self.sorted.len() - 1) as f64 * (percent / 100.0).clamp(0.0, 1.0);
        let lower = self.sorted[rank.floor() as usize];
        let upper = self.sorted[rank.ceil() as usize];
        lower + (upper - lower).mul_f64(rank.fract())
    }

    /// The 50th percentile.
    pub fn median(&self) -> Duration {
        self.percentile(50.0)
    }
}

/// Milliseconds, truncated to microseconds.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

/// Seconds, truncated to milliseconds.
pub fn seconds(duration: Duration) -> f64 {
    duration.as_millis() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(milliseconds: &[u64]) -> Distribution {
        let samples = milliseconds.iter().copied().map(Duration::from_millis);
        Distribution::of(samples.collect()).unwrap()
    }

    #[test]
    fn percentiles_do_not_depend_on_the_order_and_lie_between_samples() {
        let distribution = distribution(&[40, 10, 30, 20]);
        for (percent, expected) in [(0.0, 10.0), (50.0, 25.0), (95.0, 38.5), (100.0, 40.0)] {
            assert_eq!(
                milliseconds(distribution.percentile(percent)),
                expected,
                "{percent}"
            );
        }
        assert_eq!(distribution.median(), Duration::from_millis(25));
        assert_eq!(distribution.count(), 4);
    }

    #[test]
    fn one_sample_is_every_percentile() {
        let distribution = distribution(&[7]);
        assert_eq!(distribution.percentile(1.0), distribution.percentile(99.0));
    }

    #[test]
    fn no_samples_are_no_distribution() {
        assert_eq!(Distribution::of(Vec::new()), None);
    }
}
