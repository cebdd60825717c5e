//! Exponential backoff with jitter: workers that fail at the same time do not retry at the same time.

use std::time::Duration;

use super::protocol_durations::BackoffRange;

/// The pauses of one series of failures.
#[derive(Debug, Clone)]
pub struct Backoff {
    range: BackoffRange,
    next: Duration,
    random: fastrand::Rng,
}

impl Backoff {
    /// A backoff whose first pause is the range's first.
    pub fn new(range: BackoffRange, random: fastrand::Rng) -> Self {
        Self {
            range,
            next: range.first,
            random,
        }
    }

    /// The next pause: between half and all of the current step.
    pub fn next(&mut self) -> Duration {
        self.next_below(self.range.longest)
    }

    /// As [`Backoff::next`], with another longest pause.
    pub fn next_below(&mut self, longest: Duration) -> Duration {
        let step = self.next.min(longest);
        self.next = (step * 2).min(longest);
        step.mul_f64(0.5 + self.random.f64() / 2.0)
    }

    /// Starts over, after a success.
    pub fn reset(&mut self) {
        self.next = self.range.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runpod::ProtocolDurations;

    /// Whole steps in milliseconds that `wait` may come from: half of the step to all of it.
    fn assert_step(wait: Duration, milliseconds: u64) {
        let step = Duration::from_millis(milliseconds);
        assert!((step / 2..=step).contains(&wait), "{wait:?} of {step:?}");
    }

    #[test]
    fn the_pauses_double_up_to_the_longest_and_start_over_after_a_success() {
        for (range, steps) in [
            (
                ProtocolDurations::default().empty,
                &[100, 200, 400, 800, 1_000, 1_000][..],
            ),
            (
                ProtocolDurations::default().failure,
                &[100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000],
            ),
            (
                ProtocolDurations::default().post_failure,
                &[250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000],
            ),
            (
                ProtocolDurations::default().stop_failure,
                &[1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000],
            ),
        ] {
            let mut backoff = Backoff::new(range, fastrand::Rng::with_seed(1));
            for step in steps {
                assert_step(backoff.next(), *step);
            }
            backoff.reset();
            assert_step(backoff.next(), steps[0]);
        }
    }

    #[test]
    fn a_longer_limit_is_reached_when_it_is_given() {
        let durations = ProtocolDurations::default();
        let mut backoff = Backoff::new(durations.failure, fastrand::Rng::with_seed(2));
        for step in [
            100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000,
        ] {
            assert_step(backoff.next_below(durations.unauthorized), step);
        }
        assert_step(backoff.next(), 5_000);
    }

    #[test]
    fn jitter_is_repeatable_by_its_seed_and_differs_between_seeds() {
        let durations = |seed| {
            let mut backoff = Backoff::new(
                ProtocolDurations::default().failure,
                fastrand::Rng::with_seed(seed),
            );
            [backoff.next(), backoff.next(), backoff.next()]
        };
        assert_eq!(durations(3), durations(3));
        assert_ne!(durations(3), durations(4));
    }
}
