//! One request for jobs, and what its answer means.

use std::time::Duration;

use super::connection::{Failure, Reply};
use super::parse::{self, Deliveries};
use super::take_pauses::TakeOutcome;
use crate::service::with_causes;

/// Bytes of an unexpected answer that the log shows.
const SAMPLE_BYTES: usize = 60;
/// First characters of a list, an object and a string in JSON.
const JSON_BEGINS: &[u8] = b"[{\"";

/// The outcome of a take.
pub enum Taken {
    /// Jobs, perhaps none.
    Deliveries(Deliveries),
    /// No jobs, and the pause that follows.
    Without(TakeOutcome),
}

/// Reads the answer to a take; a job may hold `texts` texts.
pub fn taken(answer: Result<Reply, Failure>, texts: usize) -> Taken {
    let reply = match answer {
        Ok(reply) => reply,
        Err(Failure::TimedOut) => return Taken::Without(TakeOutcome::TimedOut),
        Err(failure @ Failure::Transport(_)) => {
            log::warn!("take failed cause={:?}", with_causes(&failure));
            return Taken::Without(TakeOutcome::Failed);
        }
    };
    match status(reply.status, reply.retry_after) {
        Some(polled) => {
            if polled != TakeOutcome::Nothing {
                log::warn!("take refused status={}", reply.status);
            }
            Taken::Without(polled)
        }
        None => match deliveries(&reply, texts) {
            Some(deliveries) => Taken::Deliveries(deliveries),
            None => {
                log_sample(&reply);
                Taken::Without(TakeOutcome::Failed)
            }
        },
    }
}

/// The meaning of a status; `None` if the body has to be read.
fn status(status: u16, retry_after: Option<Duration>) -> Option<TakeOutcome> {
    match status {
        // RunPod answers 400 when it is about to park the worker.
        204 | 400 => Some(TakeOutcome::Nothing),
        200..=299 => None,
        401 | 403 => Some(TakeOutcome::Refused),
        429 => Some(TakeOutcome::Throttled(retry_after)),
        _ => Some(TakeOutcome::Failed),
    }
}

fn deliveries(reply: &Reply, texts: usize) -> Option<Deliveries> {
    let Some(limit) = reply.cut_at else {
        return parse::deliveries(&reply.body, texts);
    };
    let deliveries = parse::cut_deliveries(&reply.body, limit, texts)?;
    log::error!(
        "take brought more than {limit} bytes jobs={} nameless={}: jobs behind them are lost",
        deliveries.jobs.len(),
        deliveries.nameless,
    );
    Some(deliveries)
}

/// The beginning of an answer that is not a delivery, up to where JSON might begin, because a user's text may follow.
fn log_sample(reply: &Reply) {
    let sample = reply.body.iter().copied().take(SAMPLE_BYTES);
    let sample: Vec<u8> = sample
        .take_while(|byte| !JSON_BEGINS.contains(byte))
        .collect();
    log::warn!(
        "take brought no JSON status={} content_type={:?} bytes={} begins={:?}",
        reply.status,
        reply.content_type,
        reply.body.len(),
        String::from_utf8_lossy(&sample),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_meaning() {
        let said = Some(Duration::from_secs(9));
        for (statuses, expected) in [
            (&[200, 201, 202][..], None),
            (&[204, 400], Some(TakeOutcome::Nothing)),
            (&[401, 403], Some(TakeOutcome::Refused)),
            (&[429], Some(TakeOutcome::Throttled(said))),
            (
                &[302, 304, 404, 405, 410, 500, 502, 503, 504],
                Some(TakeOutcome::Failed),
            ),
        ] {
            for given in statuses {
                assert_eq!(status(*given, said), expected, "{given}");
            }
        }
    }

    #[test]
    fn the_body_is_read_whatever_it_claims_to_be() {
        for content_type in ["application/json", "text/plain", ""] {
            for (body, jobs) in [
                (r#"{"id":"a","input":{}}"#, Some(1)),
                ("", Some(0)),
                ("<html>", None),
            ] {
                let taken = taken(
                    Ok(Reply {
                        status: 200,
                        retry_after: None,
                        content_type: content_type.to_owned(),
                        body: body.into(),
                        cut_at: None,
                    }),
                    1,
                );
                let found = match taken {
                    Taken::Deliveries(deliveries) => Some(deliveries.jobs.len()),
                    Taken::Without(polled) => {
                        assert_eq!(polled, TakeOutcome::Failed);
                        None
                    }
                };
                assert_eq!(found, jobs, "{content_type} {body}");
            }
        }
    }

    #[test]
    fn a_poll_that_was_held_too_long_is_not_a_failure() {
        let timed_out = taken(Err(Failure::TimedOut), 1);
        assert!(matches!(timed_out, Taken::Without(TakeOutcome::TimedOut)));
    }
}
