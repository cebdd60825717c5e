//! Every duration of the protocol, in one place.

use std::time::Duration;

use crate::config;

/// Shortest and longest time between two heartbeats.
const PING_INTERVAL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Waits that double from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    /// After the first failure.
    pub first: Duration,
    /// After many failures.
    pub longest: Duration,
}

/// How long everything may take, and how long to wait after each outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// Longest time that a take or a stop poll stays open.
    pub poll: Duration,
    /// A poll that brings nothing in less time than this is followed by a pause.
    pub quick_poll: Duration,
    /// After quick polls that bring nothing.
    pub empty: Ladder,
    /// After a poll that failed.
    pub failure: Ladder,
    /// Longest pause after a poll that was refused for want of the right key.
    pub refused: Duration,
    /// After a status 429 that does not say how long.
    pub throttled: Duration,
    /// The bounds of what a status 429 says.
    pub retry_after: (Duration, Duration),
    /// Longest time of one attempt to post a result.
    pub post: Duration,
    /// After an attempt that failed.
    pub post_failure: Ladder,
    /// After an attempt that was refused for want of the right key.
    pub post_refused: Duration,
    /// What an attempt still gets once the worker has been told to end; each that is not enough doubles it.
    pub last_post: Duration,
    /// Longest pause between two attempts once the worker has been told to end.
    pub post_stopping: Duration,
    /// How long RunPod waits for a job's result.
    pub job: Duration,
    /// How long an open take may still deliver once the worker has been told to end.
    pub last_take: Duration,
    /// After a stop poll that brought nothing or failed.
    pub stop_failure: Ladder,
    /// Time between two heartbeats.
    pub ping_interval: Duration,
    /// Longest time for the one message of a worker that cannot work.
    pub unhealthy: Duration,
    /// Longest pause before a job is tried again for which the service had no room.
    pub overloaded: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(90),
            quick_poll: Duration::from_secs(1),
            empty: Ladder {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(1),
            },
            failure: Ladder {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(5),
            },
            refused: Duration::from_secs(30),
            throttled: Duration::from_secs(5),
            retry_after: (Duration::from_secs(1), Duration::from_secs(30)),
            post: Duration::from_secs(60),
            post_failure: Ladder {
                first: Duration::from_millis(250),
                longest: Duration::from_secs(10),
            },
            post_refused: Duration::from_secs(30),
            last_post: Duration::from_secs(2),
            post_stopping: Duration::from_millis(500),
            job: Duration::from_secs(600),
            last_take: Duration::from_millis(1_500),
            stop_failure: Ladder {
                first: Duration::from_secs(1),
                longest: Duration::from_secs(30),
            },
            ping_interval: Duration::from_secs(10),
            unhealthy: Duration::from_secs(2),
            overloaded: Duration::from_secs(1),
        }
    }
}

impl Waits {
    fn divided(self, divisor: u32) -> Self {
        let ladder = |ladder: Ladder| Ladder {
            first: ladder.first / divisor,
            longest: ladder.longest / divisor,
        };
        Self {
            poll: self.poll / divisor,
            quick_poll: self.quick_poll / divisor,
            empty: ladder(self.empty),
            failure: ladder(self.failure),
            refused: self.refused / divisor,
            throttled: self.throttled / divisor,
            retry_after: (self.retry_after.0 / divisor, self.retry_after.1 / divisor),
            post: self.post / divisor,
            post_failure: ladder(self.post_failure),
            post_refused: self.post_refused / divisor,
            last_post: self.last_post / divisor,
            post_stopping: self.post_stopping / divisor,
            job: self.job / divisor,
            last_take: self.last_take / divisor,
            stop_failure: ladder(self.stop_failure),
            ping_interval: self.ping_interval / divisor,
            unhealthy: self.unhealthy / divisor,
            overloaded: self.overloaded / divisor,
        }
    }
}

impl From<&config::Worker> for Waits {
    fn from(settings: &config::Worker) -> Self {
        let (shortest, longest) = PING_INTERVAL;
        let interval = Duration::from_millis(settings.ping_interval_milliseconds);
        Self {
            job: Duration::from_secs(settings.job_seconds.get() as u64),
            ping_interval: interval.clamp(shortest, longest),
            ..Self::default()
        }
        .divided(settings.time_divisor.get())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn without_settings_the_waits_are_those_of_the_protocol() {
        let waits = Waits::from(&config::Worker::default());
        let seconds = |ladder: Ladder| (ladder.first.as_secs_f64(), ladder.longest.as_secs_f64());
        assert_eq!(seconds(waits.empty), (0.1, 1.0));
        assert_eq!(seconds(waits.failure), (0.1, 5.0));
        assert_eq!(seconds(waits.post_failure), (0.25, 10.0));
        assert_eq!(seconds(waits.stop_failure), (1.0, 30.0));
        let (shortest, longest) = waits.retry_after;
        for (wait, seconds) in [
            (waits.poll, 90.0),
            (waits.quick_poll, 1.0),
            (waits.refused, 30.0),
            (waits.throttled, 5.0),
            (shortest, 1.0),
            (longest, 30.0),
            (waits.post, 60.0),
            (waits.post_refused, 30.0),
            (waits.last_post, 2.0),
            (waits.post_stopping, 0.5),
            (waits.job, 600.0),
            (waits.last_take, 1.5),
            (waits.ping_interval, 10.0),
            (waits.unhealthy, 2.0),
            (waits.overloaded, 1.0),
        ] {
            assert_eq!(wait.as_secs_f64(), seconds);
        }
    }

    #[test]
    fn the_heartbeat_keeps_within_its_bounds() {
        for (milliseconds, interval) in [(0, 1), (999, 1), (5_000, 5), (3_600_000, 60)] {
            let settings = config::Worker {
                ping_interval_milliseconds: milliseconds,
                ..config::Worker::default()
            };
            let waits = Waits::from(&settings);
            assert_eq!(waits.ping_interval, Duration::from_secs(interval));
        }
    }

    #[test]
    fn a_rehearsal_divides_every_wait() {
        let settings = config::Worker {
            time_divisor: NonZeroU32::new(10).unwrap(),
            ..config::Worker::default()
        };
        let waits = Waits::from(&settings);
        assert_eq!(waits.poll, Duration::from_secs(9));
        assert_eq!(waits.failure.longest, Duration::from_millis(500));
        assert_eq!(waits.ping_interval, Duration::from_secs(1));
    }
}
