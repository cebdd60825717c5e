//! The pause between two takes.
//!
//! Every outcome that can repeat immediately is followed by a growing pause, so the rate of requests is bounded whatever
//! the platform does.

use std::time::Duration;

use super::backoff::Backoff;
use super::protocol_durations::ProtocolDurations;

/// The outcome of a take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakeOutcome {
    /// At least one job that the worker did not have.
    Jobs,
    /// No new job: none at all, or only jobs that the worker holds or has ended.
    Nothing,
    /// The platform held the request beyond its timeout.
    TimedOut,
    /// Too many requests, with the platform's `Retry-After` if it sent one.
    Throttled(Option<Duration>),
    /// Unauthorized: the key is wrong or not valid at present.
    Refused,
    /// Any other failure: no connection, an invalid answer, an error of the platform.
    Failed,
}

/// Chooses the pause before the next take.
pub struct TakePauses {
    durations: ProtocolDurations,
    empty: Backoff,
    failure: Backoff,
}

impl TakePauses {
    /// Starts as after a success.
    pub fn new(durations: &ProtocolDurations, mut random: fastrand::Rng) -> Self {
        Self {
            durations: durations.clone(),
            empty: Backoff::new(durations.empty, random.fork()),
            failure: Backoff::new(durations.failure, random),
        }
    }

    /// The pause after a take with the outcome `polled` that took `lasted`.
    pub fn after(&mut self, polled: TakeOutcome, lasted: Duration) -> Duration {
        match polled {
            TakeOutcome::Jobs | TakeOutcome::TimedOut => self.at_once(),
            TakeOutcome::Nothing => {
                self.failure.reset();
                if lasted >= self.durations.quick_poll {
                    return self.at_once();
                }
                self.empty.next()
            }
            TakeOutcome::Throttled(said) => said.unwrap_or(self.durations.throttled),
            TakeOutcome::Refused => self.failure.next_below(self.durations.unauthorized),
            TakeOutcome::Failed => self.failure.next(),
        }
    }

    fn at_once(&mut self) -> Duration {
        self.failure.reset();
        self.empty.reset();
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(2);
    const LONG: Duration = Duration::from_secs(10);

    fn pauses(polled: TakeOutcome, lasted: Duration, takes: usize) -> Vec<Duration> {
        let mut pacing =
            TakePauses::new(&ProtocolDurations::default(), fastrand::Rng::with_seed(1));
        (0..takes).map(|_| pacing.after(polled, lasted)).collect()
    }

    #[test]
    fn every_outcome_that_can_repeat_immediately_is_followed_by_growing_pauses() {
        for (polled, longest) in [
            (TakeOutcome::Nothing, 1),
            (TakeOutcome::Failed, 5),
            (TakeOutcome::Refused, 30),
        ] {
            let pauses = pauses(polled, QUICK, 20);
            assert!(pauses[0] <= Duration::from_millis(100), "{polled:?}");
            assert!(pauses[19] >= Duration::from_secs(longest) / 2, "{polled:?}");
            assert!(pauses[19] <= Duration::from_secs(longest), "{polled:?}");
        }
    }

    #[test]
    fn a_poll_that_was_held_or_brought_jobs_is_followed_by_the_next_at_once() {
        for (polled, lasted) in [
            (TakeOutcome::Jobs, QUICK),
            (TakeOutcome::Nothing, LONG),
            (TakeOutcome::TimedOut, LONG),
        ] {
            assert_eq!(pauses(polled, lasted, 3), [Duration::ZERO; 3], "{polled:?}");
        }
    }

    #[test]
    fn a_throttled_worker_waits_for_the_requested_time_or_five_seconds() {
        let said = Duration::from_secs(7);
        assert_eq!(pauses(TakeOutcome::Throttled(Some(said)), QUICK, 1), [said]);
        assert_eq!(
            pauses(TakeOutcome::Throttled(None), QUICK, 2),
            [Duration::from_secs(5); 2]
        );
    }

    #[test]
    fn after_a_success_the_pauses_are_short_again() {
        let mut pacing =
            TakePauses::new(&ProtocolDurations::default(), fastrand::Rng::with_seed(1));
        for _ in 0..10 {
            pacing.after(TakeOutcome::Failed, QUICK);
        }
        pacing.after(TakeOutcome::Jobs, QUICK);
        assert!(pacing.after(TakeOutcome::Failed, QUICK) <= Duration::from_millis(100));
    }
}
