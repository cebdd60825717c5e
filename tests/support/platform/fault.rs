//! Faults of the platform's responses.

use std::time::Duration;

use super::Route;

/// What happens to one request instead of the correct response.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Only this status; no job is delivered, no result is accepted.
    Status(u16),
    /// As [`Fault::Status`], with `Retry-After`.
    RetryAfter(u16, &'static str),
    /// A redirect with this status and address; no job is delivered, no result is accepted.
    Redirect(u16, &'static str),
    /// No response until the worker disconnects; no job is delivered, no result is accepted.
    Hang,
    /// The connection is reset; no job is delivered, no result is accepted.
    Reset,
    /// The response is truncated in its body; the job stays in the queue.
    Truncated,
    /// The correct response after a pause.
    Slow(Duration),
    /// The correct response once the test calls [`super::Platform::release`].
    Held,
    /// The correct response with this content type.
    ContentType(&'static str),
    /// Status 200 with this body; no job is delivered.
    Body(Vec<u8>),
    /// The jobs are delivered twice.
    Duplicated,
    /// The result is accepted, but the response is lost.
    LostAcknowledgement,
}

/// Random faults, reproducible from a seed.
pub struct RandomFaults {
    random: fastrand::Rng,
    one_in: usize,
}

impl RandomFaults {
    /// One request in `one_in` gets a fault.
    pub fn new(seed: u64, one_in: usize) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            one_in,
        }
    }

    /// The fault of the next request, if any.
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
