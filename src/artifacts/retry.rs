//! The retry policy of downloads.
//!
//! Owns the number of attempts and the pauses between them. Invariant: both are bounded, so a download always ends.

use std::time::Duration;

use reqwest::StatusCode;

use super::Fault;

/// Retries and timeouts of downloads.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Attempts at one file.
    pub attempts: u32,
    /// An attempt that receives this many bytes resets the count of attempts, so that a long download over an unstable
    /// connection continues while it makes progress.
    pub renewing_bytes: u64,
    /// Pause after the first failed attempt; it doubles with each further one.
    pub first_pause: Duration,
    /// Longest pause without `Retry-After`.
    pub longest_pause: Duration,
    /// Longest pause that a server may ask for with `Retry-After`.
    pub longest_wait: Duration,
    /// Longest time for a connection to be made.
    pub connect_timeout: Duration,
    /// Longest time without a single byte.
    pub read_timeout: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 5,
            renewing_bytes: 16 << 20,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(8),
            longest_wait: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(30),
        }
    }
}

/// Whether an unreachable server is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IfUnreachable {
    /// Yes: there is no other source.
    Retry,
    /// No: another source has the same file.
    GiveUp,
}

/// The attempts at one file so far.
pub(super) struct Attempts<'a> {
    retry: &'a RetryPolicy,
    if_unreachable: IfUnreachable,
    made: u32,
    since_progress: u32,
    was_different: bool,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(retry: &'a RetryPolicy, if_unreachable: IfUnreachable) -> Self {
        Self {
            retry,
            if_unreachable,
            made: 0,
            since_progress: 0,
            was_different: false,
        }
    }

    /// Number of failed attempts so far.
    pub(super) fn made(&self) -> u32 {
        self.made
    }

    /// Counts an attempt that failed after `gained` bytes. Returns the pause before the next attempt, or `None` to give up.
    pub(super) fn after(&mut self, fault: &Fault, gained: u64) -> Option<Duration> {
        self.made += 1;
        self.since_progress = if gained >= self.retry.renewing_bytes {
            1
        } else {
            self.since_progress + 1
        };
        let exhausted = self.since_progress >= self.retry.attempts;
        let again = match fault {
            Fault::Unreachable(_) => self.if_unreachable == IfUnreachable::Retry,
            Fault::Unanswered(error) => !(error.is_builder() || error.is_redirect()),
            Fault::Refused { status, .. } => is_transient(*status),
            Fault::Interrupted { .. } | Fault::Changed => true,
            Fault::TooLarge { .. } => false,
            // The first time may be a broken proxy cache; the second time it really is another file.
            Fault::Different { .. } => !std::mem::replace(&mut self.was_different, true),
        };
        (again && !exhausted).then(|| self.pause(fault))
    }

    fn pause(&self, fault: &Fault) -> Duration {
        let doubled = 1 << (self.since_progress - 1).min(16);
        let own = (self.retry.first_pause * doubled).min(self.retry.longest_pause);
        match fault {
            Fault::Refused {
                retry_after: Some(asked),
                ..
            } => (*asked).min(self.retry.longest_wait),
            Fault::Different { .. } | Fault::Changed => Duration::ZERO,
            Fault::Refused {
                retry_after: None, ..
            }
            | Fault::Unreachable(_)
            | Fault::Unanswered(_)
            | Fault::TooLarge { .. }
            | Fault::Interrupted { .. } => own,
        }
    }
}

fn is_transient(status: StatusCode) -> bool {
    const TOO_EARLY: u16 = 425;
    status.is_server_error()
        || status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_MANY_REQUESTS
        || status.as_u16() == TOO_EARLY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interrupted() -> Fault {
        Fault::Interrupted {
            got: 1,
            expected: 2,
            source: None,
        }
    }

    fn refused(status: StatusCode, retry_after: Option<Duration>) -> Fault {
        Fault::Refused {
            status,
            retry_after,
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_then_attempts_end() {
        let retry = RetryPolicy {
            attempts: 7,
            ..RetryPolicy::default()
        };
        let mut attempts = Attempts::new(&retry, IfUnreachable::Retry);
        let pauses: Vec<_> = std::iter::from_fn(|| attempts.after(&interrupted(), 0))
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 8000]);
        assert_eq!(attempts.made(), 7);
    }

    #[test]
    fn a_download_that_makes_progress_is_not_given_up() {
        let retry = RetryPolicy::default();
        let mut attempts = Attempts::new(&retry, IfUnreachable::Retry);
        for _ in 0..20 {
            assert!(
                attempts
                    .after(&interrupted(), retry.renewing_bytes)
                    .is_some()
            );
        }
        let further = std::iter::from_fn(|| attempts.after(&interrupted(), 1)).count();
        assert_eq!(further, 3);
    }

    #[test]
    fn a_server_may_ask_for_a_pause_within_bounds() {
        let retry = RetryPolicy::default();
        for (asked, given) in [(2, 2), (600, 60)] {
            let mut attempts = Attempts::new(&retry, IfUnreachable::Retry);
            let fault = refused(
                StatusCode::TOO_MANY_REQUESTS,
                Some(Duration::from_secs(asked)),
            );
            assert_eq!(attempts.after(&fault, 0), Some(Duration::from_secs(given)));
        }
    }

    #[test]
    fn only_transient_errors_are_retried() {
        let retry = RetryPolicy::default();
        for (status, again) in [
            (401, false),
            (403, false),
            (404, false),
            (408, true),
            (425, true),
            (429, true),
            (500, true),
            (503, true),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let mut attempts = Attempts::new(&retry, IfUnreachable::Retry);
            assert_eq!(
                attempts.after(&refused(status, None), 0).is_some(),
                again,
                "{status}"
            );
        }
    }
}
