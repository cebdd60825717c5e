//! What RunPod's answer to a posted result means, by its status.
//!
//! RunPod's SDK takes every status below 400 for an acknowledgement. Here a redirect is none: it says that the result
//! belongs elsewhere, and nobody has it yet.

use std::time::Duration;

/// The outcome of an attempt to post a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostOutcome {
    /// The platform has it.
    Acknowledged,
    /// The platform no longer knows the job.
    Forgotten,
    /// The platform rejects these bytes.
    Refused,
    /// The platform rejects this worker for now.
    NotAllowed,
    /// Retry, after the platform's `Retry-After` if it sent one.
    TryAgain(Option<Duration>),
}

/// The outcome by an answer's status, `None` without an answer, and its `Retry-After`.
pub fn post_outcome(status: Option<u16>, retry_after: Option<Duration>) -> PostOutcome {
    match status {
        Some(200..=299) => PostOutcome::Acknowledged,
        Some(400 | 413 | 422) => PostOutcome::Refused,
        Some(404 | 410) => PostOutcome::Forgotten,
        Some(429) => PostOutcome::TryAgain(retry_after),
        None | Some(300..=399 | 408 | 425 | 500..) => PostOutcome::TryAgain(None),
        // 401 and 403; and what has no meaning here is a platform or an address that is wrong for now.
        Some(_) => PostOutcome::NotAllowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_outcome() {
        let said = Some(Duration::from_secs(3));
        for (statuses, expected) in [
            (&[200, 201, 204, 299][..], PostOutcome::Acknowledged),
            (&[400, 413, 422], PostOutcome::Refused),
            (&[404, 410], PostOutcome::Forgotten),
            (
                &[401, 403, 402, 405, 409, 451, 199, 100],
                PostOutcome::NotAllowed,
            ),
            (
                &[
                    301, 302, 303, 304, 307, 308, 399, 408, 425, 500, 502, 503, 504,
                ],
                PostOutcome::TryAgain(None),
            ),
            (&[429], PostOutcome::TryAgain(said)),
        ] {
            for status in statuses {
                assert_eq!(post_outcome(Some(*status), said), expected, "{status}");
            }
        }
        assert_eq!(post_outcome(None, None), PostOutcome::TryAgain(None));
    }
}
