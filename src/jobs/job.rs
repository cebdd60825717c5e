//! One job: what was asked, where it is, and what it gave.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;
use tokio::sync::SetOnce;

use super::order::Order;
use super::policy::Policy;
use super::report::{JobId, Report, milliseconds};
use super::retention::Kind;
use super::status::Status;
use super::webhook::Webhook;
use crate::service::{Call, Performed};

/// Bytes of a job besides its input and its result, on the safe side.
const OVERHEAD_BYTES: usize = 1024;

/// One try at a job, shared by the table and whoever performs it or waits for it.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// Its texts in the engine.
    pub call: Call,
    over: Arc<SetOnce<()>>,
}

impl Run {
    /// Waits until the job has ended, whoever ended it.
    pub async fn over(&self) {
        self.over.wait().await;
    }

    /// Whether both are the same try.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.over, &other.over)
    }

    fn end(&self) {
        // A text that still waits leaves the queue in this moment.
        self.call.cancel();
        // A job ends once; see `Job::end`.
        let _ = self.over.set(());
    }
}

/// How a job ended.
#[derive(Debug)]
pub struct Ending {
    /// Its last status.
    pub status: Status,
    /// What was asked for.
    pub output: Option<Arc<RawValue>>,
    /// What went wrong.
    pub error: Option<Arc<str>>,
    /// Texts that were embedded.
    pub texts: usize,
}

impl Ending {
    /// The end of a job that has an output.
    pub fn completed(performed: Performed) -> Self {
        Self {
            status: Status::Completed,
            output: Some(Arc::from(performed.output)),
            error: None,
            texts: performed.texts,
        }
    }

    /// The end of a job that has an error.
    pub fn failed(status: Status, error: String) -> Self {
        Self {
            status,
            output: None,
            error: Some(error.into()),
            texts: 0,
        }
    }

    /// The end of a job that was taken back.
    pub fn cancelled() -> Self {
        Self {
            status: Status::Cancelled,
            output: None,
            error: None,
            texts: 0,
        }
    }
}

/// What is kept of a job that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub ending: Ending,
    pub at: Instant,
    /// When it is forgotten at the latest.
    pub expires: Instant,
    /// Its place among all that have ended.
    pub place: u64,
    /// Whether its output has been given to somebody who reads it in parts.
    pub streamed: bool,
}

/// One job.
#[derive(Debug)]
pub(super) struct Job {
    pub kind: Kind,
    /// What was asked; gone when the job can no longer be tried again.
    pub input: Option<Arc<RawValue>>,
    pub policy: Policy,
    pub webhook: Option<Webhook>,
    pub run: Run,
    pub submitted: Instant,
    pub ended: Option<Ended>,
}

impl Job {
    pub fn new(kind: Kind, order: Order, now: Instant) -> Self {
        Self {
            kind,
            input: Some(order.input),
            policy: order.policy,
            webhook: order.webhook,
            run: Run::default(),
            submitted: now,
            ended: None,
        }
    }

    pub fn status(&self) -> Status {
        match (&self.ended, self.run.call.started()) {
            (Some(ended), _) => ended.ending.status,
            (None, Some(_)) => Status::InProgress,
            (None, None) => Status::InQueue,
        }
    }

    /// What it costs to keep it.
    pub fn bytes(&self) -> usize {
        let ending = self.ended.as_ref().map(|ended| &ended.ending);
        let output = ending.and_then(|ending| ending.output.as_ref());
        let error = ending.and_then(|ending| ending.error.as_ref());
        OVERHEAD_BYTES
            + self.input.as_ref().map_or(0, |input| input.get().len())
            + output.map_or(0, |output| output.get().len())
            + error.map_or(0, |error| error.len())
            + self.webhook.as_ref().map_or(0, Webhook::bytes)
    }

    /// Puts the end down and tells everybody who waits for it.
    pub fn end(&mut self, ended: Ended) {
        if !ended.ending.status.can_be_retried() {
            self.input = None;
        }
        self.ended = Some(ended);
        self.run.end();
    }

    /// Makes it a job that waits, as if it had just come.
    pub fn begin_again(&mut self, now: Instant) {
        self.run = Run::default();
        self.submitted = now;
        self.ended = None;
    }

    pub fn report(&self, id: &JobId) -> Report {
        let ending = self.ended.as_ref().map(|ended| &ended.ending);
        let (delay, execution) = self.times();
        Report {
            id: id.clone(),
            status: self.status(),
            output: ending.and_then(|ending| ending.output.clone()),
            error: ending.and_then(|ending| ending.error.clone()),
            delay_time: delay.map(milliseconds),
            execution_time: execution.map(milliseconds),
            texts: ending.map_or(0, |ending| ending.texts),
        }
    }

    /// How long it waited and how long it ran, as far as that is known.
    fn times(&self) -> (Option<Duration>, Option<Duration>) {
        let waited = |until: Instant| until.saturating_duration_since(self.submitted);
        let begin = self.run.call.started();
        let Some(Ended { ending, at, .. }) = &self.ended else {
            return (begin.map(waited), None);
        };
        let begin = begin.unwrap_or(match ending.status {
            // What needs no model never waits.
            Status::Completed | Status::Failed => self.submitted,
            Status::InQueue | Status::InProgress | Status::Cancelled | Status::TimedOut => *at,
        });
        let ran = at.saturating_duration_since(begin);
        (Some(waited(begin)), Some(ran))
    }
}
