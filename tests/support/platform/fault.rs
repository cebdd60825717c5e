//! How an answer goes wrong.

use std::time::Duration;

use super::Route;

/// What happens to one request instead of the right thing.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Only this status; no job is handed out, no result is accepted.
    Status(u16),
    /// As [`Fault::Status`], with `Retry-After`.
    RetryAfter(u16, &'static str),
    /// A status that sends the worker to this address; no job is handed out, no result is accepted.
    Redirect(u16, &'static str),
    /// No answer at all, for as long as the worker waits; no job is handed out, no result is accepted.
    Hang,
    /// The connection is reset; no job is handed out, no result is accepted.
    Reset,
    /// The answer breaks off in the middle of its body; the job stays in the queue.
    Truncated,
    /// The right thing, late.
    Slow(Duration),
    /// The right thing, once the test calls [`super::Platform::release`].
    Held,
    /// The right thing, under a wrong name.
    ContentType(&'static str),
    /// Status 200 with this body; no job is handed out.
    Body(Vec<u8>),
    /// The jobs are handed out, and stay in the queue.
    Duplicated,
    /// The result is accepted, and the worker does not learn of it.
    LostAcknowledgement,
}

/// Faults by chance, the same for the same seed.
pub struct RandomFaults {
    random: fastrand::Rng,
    one_in: usize,
}

impl RandomFaults {
    /// One request in `one_in` goes wrong.
    pub fn new(seed: u64, one_in: usize) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            one_in,
        }
    }

    /// What happens to the next request, if it is not the right thing.
    pub(super) fn next(&mut self, route: Route) -> Option<Fault> {
        if self.random.usize(..self.one_in) != 0 {
            return None;
        }
        let faults = match route {
            Route::Take => vec![
                Fault::Status(204),
                Fault::Status(400),
                Fault::Status(401),
                Fault::RetryAfter(429, "1"),
                Fault::Status(500),
                Fault::Status(503),
                Fault::Reset,
                Fault::Truncated,
                Fault::Duplicated,
                Fault::Slow(Duration::from_millis(20)),
                Fault::ContentType("text/html"),
                Fault::Body(b"<html>".to_vec()),
                Fault::Body(br#"[{"input":{}},7,null]"#.to_vec()),
            ],
            Route::Post => vec![
                Fault::Status(400),
                Fault::Status(401),
                Fault::Status(408),
                Fault::RetryAfter(429, "1"),
                Fault::Status(500),
                Fault::Status(502),
                Fault::Reset,
                Fault::Truncated,
                Fault::Slow(Duration::from_millis(20)),
                Fault::LostAcknowledgement,
            ],
            Route::Ping | Route::Stop | Route::Unknown => {
                vec![Fault::Status(500), Fault::Reset, Fault::Truncated]
            }
        };
        self.random.choice(faults)
    }
}
