//! How soon after a take the next may follow: bounded whatever the platform does.

use std::time::Duration;

use super::backoff::Backoff;
use super::timings::Timings;

/// What a take came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polled {
    /// At least one job that the worker did not have.
    Jobs,
    /// Nothing new: no job, or only such as the worker has or had already.
    Nothing,
    /// The platform held the request for longer than it may.
    TimedOut,
    /// Too many requests, and perhaps how long to wait.
    Throttled(Option<Duration>),
    /// The key is wrong, or not yet or no longer right.
    Refused,
    /// Everything else: no connection, a broken answer, an error of the platform.
    Failed,
}

/// The pause before the next take.
pub struct Pace {
    timings: Timings,
    empty: Backoff,
    failure: Backoff,
}

impl Pace {
    /// As if all had gone well so far.
    pub fn new(timings: &Timings, mut random: fastrand::Rng) -> Self {
        Self {
            timings: timings.clone(),
            empty: Backoff::new(timings.empty, random.fork()),
            failure: Backoff::new(timings.failure, random),
        }
    }

    /// How long to wait after a take that came to `polled` and lasted `lasted`.
    pub fn after(&mut self, polled: Polled, lasted: Duration) -> Duration {
        match polled {
            Polled::Jobs | Polled::TimedOut => self.at_once(),
            Polled::Nothing => {
                self.failure.reset();
                if lasted >= self.timings.quick_poll {
                    return self.at_once();
                }
                self.empty.next()
            }
            Polled::Throttled(said) => said.unwrap_or(self.timings.throttled),
            Polled::Refused => self.failure.next_below(self.timings.unauthorized),
            Polled::Failed => self.failure.next(),
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

    fn pauses(polled: Polled, lasted: Duration, takes: usize) -> Vec<Duration> {
        let mut pace = Pace::new(&Timings::default(), fastrand::Rng::with_seed(1));
        (0..takes).map(|_| pace.after(polled, lasted)).collect()
    }

    #[test]
    fn every_outcome_that_can_repeat_at_once_is_followed_by_a_longer_and_longer_pause() {
        for (polled, longest) in [
            (Polled::Nothing, 1),
            (Polled::Failed, 5),
            (Polled::Refused, 30),
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
            (Polled::Jobs, QUICK),
            (Polled::Nothing, LONG),
            (Polled::TimedOut, LONG),
        ] {
            assert_eq!(pauses(polled, lasted, 3), [Duration::ZERO; 3], "{polled:?}");
        }
    }

    #[test]
    fn a_throttled_worker_waits_as_long_as_it_is_told_or_five_seconds() {
        let said = Duration::from_secs(7);
        assert_eq!(pauses(Polled::Throttled(Some(said)), QUICK, 1), [said]);
        assert_eq!(
            pauses(Polled::Throttled(None), QUICK, 2),
            [Duration::from_secs(5); 2]
        );
    }

    #[test]
    fn after_a_success_the_pauses_are_short_again() {
        let mut pace = Pace::new(&Timings::default(), fastrand::Rng::with_seed(1));
        for _ in 0..10 {
            pace.after(Polled::Failed, QUICK);
        }
        pace.after(Polled::Jobs, QUICK);
        assert!(pace.after(Polled::Failed, QUICK) <= Duration::from_millis(100));
    }
}
