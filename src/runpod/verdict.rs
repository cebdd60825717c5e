//! What the platform's answer to a result means: the one table of the outbox.
//!
//! RunPod's SDK takes every status below 400 for an acknowledgement. Here a redirect is none: it says that the result
//! belongs elsewhere, and nobody has it yet.

use std::time::Duration;

/// What becomes of a result after an attempt to post it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The platform has it.
    Acknowledged,
    /// The platform does not know the job any more.
    Forgotten,
    /// The platform refuses these bytes.
    Refused,
    /// The platform refuses this worker for now.
    NotAllowed,
    /// Try again, after the time that the platform named if it named one.
    TryAgain(Option<Duration>),
}

/// Judges an attempt: its status, nothing where there was no answer, and the wait that the answer named.
pub fn verdict(status: Option<u16>, retry_after: Option<Duration>) -> Verdict {
    match status {
        Some(200..=299) => Verdict::Acknowledged,
        Some(400 | 413 | 422) => Verdict::Refused,
        Some(404 | 410) => Verdict::Forgotten,
        Some(429) => Verdict::TryAgain(retry_after),
        None | Some(300..=399 | 408 | 425 | 500..) => Verdict::TryAgain(None),
        // 401 and 403; and what has no meaning here is a platform or an address that is wrong for now.
        Some(_) => Verdict::NotAllowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_verdict() {
        let said = Some(Duration::from_secs(3));
        for (statuses, expected) in [
            (&[200, 201, 204, 299][..], Verdict::Acknowledged),
            (&[400, 413, 422], Verdict::Refused),
            (&[404, 410], Verdict::Forgotten),
            (
                &[401, 403, 402, 405, 409, 451, 199, 100],
                Verdict::NotAllowed,
            ),
            (
                &[
                    301, 302, 303, 304, 307, 308, 399, 408, 425, 500, 502, 503, 504,
                ],
                Verdict::TryAgain(None),
            ),
            (&[429], Verdict::TryAgain(said)),
        ] {
            for status in statuses {
                assert_eq!(verdict(Some(*status), said), expected, "{status}");
            }
        }
        assert_eq!(verdict(None, None), Verdict::TryAgain(None));
    }
}
