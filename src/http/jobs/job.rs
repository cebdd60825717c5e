//! One job: what was submitted, its status, and its result.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::envelope::Envelope;
use super::job_status::JobStatus;
use super::report::{Report, milliseconds};
use super::retention::JobKind;
use super::webhook::Webhook;
use crate::jobs::{Execution, JobId, Progress, Submission};
use crate::service::Performed;

/// Bytes of a job besides its texts and its result, a generous estimate.
const OVERHEAD_BYTES: usize = 1024;

/// How a job ended.
#[derive(Debug)]
pub struct Ending {
    /// Its last status.
    pub status: JobStatus,
    /// The output.
    pub output: Option<Arc<RawValue>>,
    /// The error, as `code: message`.
    pub error: Option<Arc<str>>,
    /// Texts that were embedded.
    pub texts: usize,
}

impl Ending {
    /// The end of a job that has an output.
    pub fn completed(performed: Performed) -> Self {
        Self {
            status: JobStatus::Completed,
            output: Some(Arc::from(performed.output)),
            error: None,
            texts: performed.texts,
        }
    }

    /// The end of a job that has an error.
    pub fn failed(status: JobStatus, error: String) -> Self {
        Self {
            status,
            output: None,
            error: Some(error.into()),
            texts: 0,
        }
    }

    /// The end of a job that was cancelled.
    pub fn cancelled() -> Self {
        Self {
            status: JobStatus::Cancelled,
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
    /// When it is removed at the latest.
    pub expires: Instant,
    /// Its position among all that have ended.
    pub place: u64,
    /// Whether `/stream` has given its output.
    pub streamed: bool,
}

/// One job.
#[derive(Debug)]
pub(super) struct Job {
    pub kind: JobKind,
    /// What was submitted; dropped when the job can no longer be retried.
    submission: Option<Arc<Submission>>,
    pub webhook: Option<Webhook>,
    pub progress: Progress,
    pub submitted: Instant,
    pub ended: Option<Ended>,
}

impl Job {
    pub fn new(kind: JobKind, envelope: Envelope, now: Instant) -> Self {
        Self {
            kind,
            submission: Some(Arc::new(envelope.submission)),
            webhook: envelope.webhook,
            progress: progress(kind),
            submitted: now,
            ended: None,
        }
    }

    /// What is needed to execute it; `None` once its submission is dropped.
    pub fn execution(&self, id: &JobId) -> Option<Execution> {
        Some(Execution {
            id: id.clone(),
            submission: Arc::clone(self.submission.as_ref()?),
            submitted: self.submitted,
            progress: self.progress.clone(),
        })
    }

    pub fn status(&self) -> JobStatus {
        match (&self.ended, self.progress.started()) {
            (Some(ended), _) => ended.ending.status,
            (None, Some(_)) => JobStatus::InProgress,
            (None, None) => JobStatus::InQueue,
        }
    }

    /// Whether it is a query whose caller waits.
    pub fn is_query(&self) -> bool {
        let submission = self.submission.as_ref();
        self.kind == JobKind::Sync && submission.is_some_and(|submission| submission.is_query())
    }

    /// Bytes that it keeps in memory.
    pub fn bytes(&self) -> usize {
        let ending = self.ended.as_ref().map(|ended| &ended.ending);
        let output = ending.and_then(|ending| ending.output.as_ref());
        let error = ending.and_then(|ending| ending.error.as_ref());
        OVERHEAD_BYTES
            + self
                .submission
                .as_ref()
                .map_or(0, |submission| submission.bytes())
            + output.map_or(0, |output| output.get().len())
            + error.map_or(0, |error| error.len())
            + self.webhook.as_ref().map_or(0, Webhook::bytes)
    }

    /// Records the end and notifies everyone who waits for it.
    pub fn end(&mut self, ended: Ended) {
        if !ended.ending.status.can_be_retried() {
            self.submission = None;
        }
        self.ended = Some(ended);
        self.progress.end();
    }

    /// Queues it again, as if it had just been submitted.
    pub fn restart(&mut self, now: Instant) {
        self.progress = progress(self.kind);
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

    /// How long it waited and how long it ran, once known.
    fn times(&self) -> (Option<Duration>, Option<Duration>) {
        let waited = |until: Instant| until.saturating_duration_since(self.submitted);
        let start = self.progress.started();
        let Some(Ended { ending, at, .. }) = &self.ended else {
            return (start.map(waited), None);
        };
        let start = start.unwrap_or(match ending.status {
            // What needs no model never waits.
            JobStatus::Completed | JobStatus::Failed => self.submitted,
            JobStatus::InQueue
            | JobStatus::InProgress
            | JobStatus::Cancelled
            | JobStatus::TimedOut => *at,
        });
        let ran = at.saturating_duration_since(start);
        (Some(waited(start)), Some(ran))
    }
}

fn progress(kind: JobKind) -> Progress {
    match kind {
        JobKind::Queued => Progress::background(),
        JobKind::Sync => Progress::default(),
    }
}
