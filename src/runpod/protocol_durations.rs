//! Every timeout, pause and interval of the protocol, in one place.
//!
//! The defaults are those of RunPod's protocol. They are no settings, but for the two that [`ProtocolDurations::with_settings`]
//! takes over; a test of the whole worker scales them down.

use std::time::Duration;

use crate::config;

/// The bounds of an exponential backoff: each pause is twice the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackoffRange {
    /// Pause after the first failure.
    pub first: Duration,
    /// Longest pause.
    pub longest: Duration,
}

/// How long everything may take, and how long to wait after each outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtocolDurations {
    /// Timeout of a take and of a stop poll.
    pub poll: Duration,
    /// An empty poll that took less time than this is followed by a pause.
    pub quick_poll: Duration,
    /// Pauses after quick polls that were empty.
    pub empty: BackoffRange,
    /// Pauses after failed polls.
    pub failure: BackoffRange,
    /// Longest pause after polls that were rejected as unauthorized.
    pub unauthorized: Duration,
    /// Pause after a status 429 without `Retry-After`.
    pub throttled: Duration,
    /// Shortest and longest pause that `Retry-After` can ask for.
    pub retry_after: (Duration, Duration),
    /// Timeout of one attempt to post a result.
    pub post: Duration,
    /// Pauses after failed attempts.
    pub post_failure: BackoffRange,
    /// Pause after an attempt that was rejected as unauthorized.
    pub post_unauthorized: Duration,
    /// Timeout of an attempt after the stop was requested; each attempt that exceeds it doubles it.
    pub last_post: Duration,
    /// Longest pause between two attempts after the stop was requested.
    pub post_stopping: Duration,
    /// How long RunPod waits for a job's result.
    pub job: Duration,
    /// How long an open take may still deliver after the stop was requested.
    pub last_take: Duration,
    /// Pauses after stop polls that failed or were empty.
    pub stop_failure: BackoffRange,
    /// Time between two heartbeats.
    pub ping_interval: Duration,
    /// Shortest and longest interval that the settings can choose.
    pub ping_interval_bounds: (Duration, Duration),
    /// Timeout of the one take of a worker whose model cannot be loaded.
    pub give_up_take: Duration,
    /// Time in which such a worker fails what it took and tells that it is unhealthy.
    pub give_up: Duration,
    /// Timeout of the message that the worker is unhealthy.
    pub unhealthy: Duration,
    /// Longest pause before a job is retried that the service rejected as overloaded.
    pub overloaded: Duration,
}

impl Default for ProtocolDurations {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(90),
            quick_poll: Duration::from_secs(1),
            empty: BackoffRange {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(1),
            },
            failure: BackoffRange {
                first: Duration::from_millis(100),
                longest: Duration::from_secs(5),
            },
            unauthorized: Duration::from_secs(30),
            throttled: Duration::from_secs(5),
            retry_after: (Duration::from_secs(1), Duration::from_secs(30)),
            post: Duration::from_secs(60),
            post_failure: BackoffRange {
                first: Duration::from_millis(250),
                longest: Duration::from_secs(10),
            },
            post_unauthorized: Duration::from_secs(30),
            last_post: Duration::from_secs(2),
            post_stopping: Duration::from_millis(500),
            job: Duration::from_secs(600),
            last_take: Duration::from_millis(1_500),
            stop_failure: BackoffRange {
                first: Duration::from_secs(1),
                longest: Duration::from_secs(30),
            },
            ping_interval: Duration::from_secs(10),
            ping_interval_bounds: (Duration::from_secs(1), Duration::from_secs(60)),
            give_up_take: Duration::from_secs(10),
            give_up: Duration::from_secs(15),
            unhealthy: Duration::from_secs(2),
            overloaded: Duration::from_secs(1),
        }
    }
}

impl ProtocolDurations {
    /// Every duration divided by `divisor`, which must not be 0.
    #[must_use]
    pub fn scaled_down(self, divisor: u32) -> Self {
        let range = |range: BackoffRange| BackoffRange {
            first: range.first / divisor,
            longest: range.longest / divisor,
        };
        let bounds = |(shortest, longest)| (shortest / divisor, longest / divisor);
        Self {
            poll: self.poll / divisor,
            quick_poll: self.quick_poll / divisor,
            empty: range(self.empty),
            failure: range(self.failure),
            unauthorized: self.unauthorized / divisor,
            throttled: self.throttled / divisor,
            retry_after: bounds(self.retry_after),
            post: self.post / divisor,
            post_failure: range(self.post_failure),
            post_unauthorized: self.post_unauthorized / divisor,
            last_post: self.last_post / divisor,
            post_stopping: self.post_stopping / divisor,
            job: self.job / divisor,
            last_take: self.last_take / divisor,
            stop_failure: range(self.stop_failure),
            ping_interval: self.ping_interval / divisor,
            ping_interval_bounds: bounds(self.ping_interval_bounds),
            give_up_take: self.give_up_take / divisor,
            give_up: self.give_up / divisor,
            unhealthy: self.unhealthy / divisor,
            overloaded: self.overloaded / divisor,
        }
    }

    /// Takes over the settings' interval of heartbeats, within its bounds, and their lifetime of a job.
    #[must_use]
    pub fn with_settings(self, settings: &config::QueueSettings) -> Self {
        let (shortest, longest) = self.ping_interval_bounds;
        let interval = Duration::from_millis(settings.ping_interval_milliseconds);
        Self {
            job: Duration::from_secs(settings.job_seconds.get() as u64),
            ping_interval: interval.clamp(shortest, longest),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_settings_the_durations_are_those_of_the_protocol() {
        let durations =
            ProtocolDurations::default().with_settings(&config::QueueSettings::default());
        let seconds =
            |range: BackoffRange| (range.first.as_secs_f64(), range.longest.as_secs_f64());
        assert_eq!(seconds(durations.empty), (0.1, 1.0));
        assert_eq!(seconds(durations.failure), (0.1, 5.0));
        assert_eq!(seconds(durations.post_failure), (0.25, 10.0));
        assert_eq!(seconds(durations.stop_failure), (1.0, 30.0));
        let (shortest, longest) = durations.retry_after;
        for (wait, seconds) in [
            (durations.poll, 90.0),
            (durations.quick_poll, 1.0),
            (durations.unauthorized, 30.0),
            (durations.throttled, 5.0),
            (shortest, 1.0),
            (longest, 30.0),
            (durations.post, 60.0),
            (durations.post_unauthorized, 30.0),
            (durations.last_post, 2.0),
            (durations.post_stopping, 0.5),
            (durations.job, 600.0),
            (durations.last_take, 1.5),
            (durations.ping_interval, 10.0),
            (durations.give_up_take, 10.0),
            (durations.give_up, 15.0),
            (durations.unhealthy, 2.0),
            (durations.overloaded, 1.0),
        ] {
            assert_eq!(wait.as_secs_f64(), seconds);
        }
    }

    #[test]
    fn the_heartbeat_keeps_within_its_bounds() {
        for (milliseconds, interval) in [(0, 1), (999, 1), (5_000, 5), (3_600_000, 60)] {
            let settings = config::QueueSettings {
                ping_interval_milliseconds: milliseconds,
                ..config::QueueSettings::default()
            };
            let durations = ProtocolDurations::default().with_settings(&settings);
            assert_eq!(durations.ping_interval, Duration::from_secs(interval));
        }
    }

    #[test]
    fn scaled_down_durations_keep_the_lifetime_of_a_job_that_is_set() {
        let settings = config::QueueSettings {
            ping_interval_milliseconds: 0,
            ..config::QueueSettings::default()
        };
        let durations = ProtocolDurations::default()
            .scaled_down(10)
            .with_settings(&settings);
        assert_eq!(durations.poll, Duration::from_secs(9));
        assert_eq!(durations.failure.longest, Duration::from_millis(500));
        assert_eq!(durations.ping_interval, Duration::from_millis(100));
        assert_eq!(durations.job, Duration::from_secs(600));
    }
}
