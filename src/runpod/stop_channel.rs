//! The stop channel, by which RunPod says which jobs to stop. A failure here only leaves jobs running.

use std::time::Duration;

use serde::Deserialize;

use super::backoff::Backoff;
use super::connection::{Failure, Reply};
use super::context::Context;
use crate::jobs::JobId;

/// Largest list of jobs to stop, in bytes.
const LIST_BYTES: usize = 1_000_000;

#[derive(Deserialize)]
struct Stops {
    #[serde(rename = "jobsToStop", default)]
    jobs: Vec<String>,
}

/// Polls the channel until the future is dropped; returns only if the platform has no such channel.
pub async fn listen(context: &Context) {
    let Some(address) = context.addresses.stop() else {
        return;
    };
    let mut backoff = Backoff::new(context.durations.stop_failure, fastrand::Rng::new());
    loop {
        let answer = context
            .connection
            .get(&address, LIST_BYTES, context.durations.poll)
            .await;
        let pause = match reaction(answer) {
            Reaction::Stop(jobs) => {
                backoff.reset();
                match context.stop_jobs(jobs) {
                    true => Duration::ZERO,
                    false => context.durations.stop_failure.first,
                }
            }
            Reaction::Wait(said) => said.unwrap_or(context.durations.throttled),
            Reaction::Absent => context.durations.stop_failure.longest,
            Reaction::Failed => backoff.next(),
        };
        tokio::time::sleep(pause).await;
    }
}

/// The meaning of an answer.
#[derive(Debug, PartialEq, Eq)]
enum Reaction {
    /// Stop these jobs, perhaps none.
    Stop(Vec<JobId>),
    /// Poll later.
    Wait(Option<Duration>),
    /// Poll rarely: the channel does not exist, or not for this worker.
    Absent,
    /// Retry.
    Failed,
}

fn reaction(answer: Result<Reply, Failure>) -> Reaction {
    let reply = match answer {
        Ok(reply) => reply,
        Err(Failure::TimedOut) => return Reaction::Stop(Vec::new()),
        Err(Failure::Transport(_)) => return Reaction::Failed,
    };
    match reply.status {
        200 if reply.body.trim_ascii().is_empty() => Reaction::Stop(Vec::new()),
        200 => match serde_json::from_slice::<Stops>(&reply.body) {
            Ok(stops) => Reaction::Stop(stops.jobs.into_iter().filter_map(JobId::new).collect()),
            Err(_) => Reaction::Failed,
        },
        204 => Reaction::Stop(Vec::new()),
        429 => Reaction::Wait(reply.retry_after),
        401 | 403 | 404 | 410 => Reaction::Absent,
        _ => Reaction::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn react(status: u16, body: &'static str) -> Reaction {
        reaction(Ok(Reply {
            status,
            retry_after: None,
            content_type: String::new(),
            body: body.into(),
            cut_at: None,
        }))
    }

    #[test]
    fn every_answer_has_its_reaction() {
        let ids = ["a", "b"].map(|id| JobId::new(id.to_owned()).unwrap());
        let stop = Reaction::Stop(ids.to_vec());
        let nothing = Reaction::Stop(Vec::new());
        assert_eq!(react(200, r#"{"jobsToStop":["a","","b"]}"#), stop);
        for (status, body) in [
            (200, "{}"),
            (200, ""),
            (200, r#"{"jobsToStop":[]}"#),
            (204, ""),
        ] {
            assert_eq!(react(status, body), nothing, "{status} {body}");
        }
        for (status, body) in [
            (200, "<html>"),
            (200, r#"{"jobsToStop":7}"#),
            (500, ""),
            (400, ""),
        ] {
            assert_eq!(react(status, body), Reaction::Failed, "{status} {body}");
        }
        for status in [401, 403, 404, 410] {
            assert_eq!(react(status, ""), Reaction::Absent, "{status}");
        }
        assert_eq!(react(429, ""), Reaction::Wait(None));
        assert_eq!(reaction(Err(Failure::TimedOut)), nothing);
    }
}
