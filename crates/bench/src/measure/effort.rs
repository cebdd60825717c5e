//! How long measuring may take.

use std::time::Duration;

/// When a measurement has enough samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Samples that are taken even if they take longer.
    pub least: usize,
    /// Samples that are enough.
    pub most: usize,
    /// Time that is enough.
    pub time: Duration,
}

impl Bound {
    /// Whether one more sample is wanted.
    pub fn wants_more(self, taken: usize, elapsed: Duration) -> bool {
        taken < self.least || (taken < self.most && elapsed < self.time)
    }
}

/// Bounds of every measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Of one length.
    pub latency: Bound,
    /// Of one number of clients.
    pub throughput: Bound,
    /// Of one batch.
    pub batch: Bound,
    /// Starts of the server.
    pub starts: usize,
    /// Queries among long texts, each of which may wait for one of them.
    pub flood_queries: usize,
}

/// Rest of a client whose request was refused.
pub const AFTER_REFUSAL: Duration = Duration::from_millis(100);

impl Effort {
    /// Some minutes for the full size on two cores.
    pub const FULL: Self = Self {
        latency: bound(10, 300, 10),
        throughput: bound(0, 5_000, 12),
        batch: bound(3, 50, 10),
        starts: 5,
        flood_queries: 20,
    };

    /// A look, within a minute or so.
    pub const QUICK: Self = Self {
        latency: bound(3, 20, 2),
        throughput: bound(0, 500, 3),
        batch: bound(1, 10, 2),
        starts: 2,
        flood_queries: 3,
    };
}

const fn bound(least: usize, most: usize, seconds: u64) -> Bound {
    Bound {
        least,
        most,
        time: Duration::from_secs(seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_counts_and_looks_at_the_clock() {
        let bound = bound(2, 4, 10);
        for (taken, seconds, more) in [(1, 99, true), (2, 99, false), (3, 9, true), (4, 0, false)] {
            assert_eq!(
                bound.wants_more(taken, Duration::from_secs(seconds)),
                more,
                "{taken} {seconds}"
            );
        }
    }
}
