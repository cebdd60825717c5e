//! How many samples a measurement takes, and for how long.

use std::time::Duration;

/// When a measurement has enough samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleBounds {
    /// Samples that are taken even after `time`.
    pub minimum: usize,
    /// No more samples are taken.
    pub maximum: usize,
    /// Time after which no more than the minimum is taken.
    pub time: Duration,
}

impl SampleBounds {
    /// Whether more samples are needed.
    pub fn is_unsatisfied(self, taken: usize, elapsed: Duration) -> bool {
        taken < self.minimum || (taken < self.maximum && elapsed < self.time)
    }
}

/// Bounds of all measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Of one text length.
    pub latency: SampleBounds,
    /// Of one number of clients.
    pub throughput: SampleBounds,
    /// Of one batch.
    pub batch: SampleBounds,
    /// Measured starts of the server.
    pub starts: usize,
    /// Queries that are sent while other clients send long texts.
    pub flood_queries: usize,
}

impl Effort {
    /// Takes some minutes for a model of bge-m3's size on two cores.
    pub const FULL: Self = Self {
        latency: bounds(10, 300, 10),
        throughput: bounds(0, 5_000, 12),
        batch: bounds(3, 50, 10),
        starts: 5,
        flood_queries: 20,
    };

    /// Takes about a minute.
    pub const QUICK: Self = Self {
        latency: bounds(3, 20, 2),
        throughput: bounds(0, 500, 3),
        batch: bounds(1, 10, 2),
        starts: 2,
        flood_queries: 3,
    };
}

const fn bounds(minimum: usize, maximum: usize, seconds: u64) -> SampleBounds {
    SampleBounds {
        minimum,
        maximum,
        time: Duration::from_secs(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_bounded_by_number_and_time() {
        let bounds = bounds(2, 4, 10);
        for (taken, seconds, more) in [(1, 99, true), (2, 99, false), (3, 9, true), (4, 0, false)] {
            assert_eq!(
                bounds.is_unsatisfied(taken, Duration::from_secs(seconds)),
                more,
                "{taken} {seconds}"
            );
        }
    }
}
