//! The execution of one job: its attempts, its limits and its cancellation.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::SetOnce;
use tokio::time::sleep;

use super::job_id::JobId;
use super::submission::Submission;
use crate::service::{Call, Code, Error, Gauge, Performed, Service, Unavailable, with_causes};

/// The execution of one job. Dropping the future of a method cancels what it has not finished.
#[derive(Debug, Clone)]
pub struct Execution {
    /// The job's id.
    pub id: JobId,
    /// What was submitted, shared with whoever may retry it.
    pub submission: Arc<Submission>,
    /// When it was submitted.
    pub submitted: Instant,
    /// Its progress.
    pub progress: Progress,
}

/// A job's progress, for those who wait for it or cancel it; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    call: Call,
    ended: Arc<SetOnce<()>>,
}

/// The outcome of a future that ran within the limits of a job.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It finished.
    Finished(T),
    /// A limit of time was reached first; this is the job's error.
    TimedOut(String),
    /// The job was cancelled first.
    Cancelled,
}

/// How a job waits while the service rejects it for now.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Longest pause between two attempts.
    pub longest_pause: Duration,
    /// Time after which a rejection is final.
    pub max_wait: Duration,
    /// Jobs that wait for their next attempt.
    pub jobs: Gauge,
}

impl Progress {
    /// Of a job in the background, for whose result nobody waits.
    pub fn background() -> Self {
        Self {
            call: Call::background(),
            ended: Arc::default(),
        }
    }

    /// When the engine took the first text, once it has.
    pub fn started(&self) -> Option<Instant> {
        self.call.started()
    }

    /// Cancels the job's texts unless one has started; returns whether they are cancelled now.
    pub fn cancel_unless_started(&self) -> bool {
        self.call.cancel_unless_started()
    }

    /// Ends the job: those who wait for it are notified, and its waiting texts never run.
    pub fn end(&self) {
        // It fails if the job has ended before.
        let _ = self.ended.set(());
        self.call.cancel();
    }

    /// Waits until the job has ended, however that was.
    pub async fn wait_ended(&self) {
        self.ended.wait().await;
    }

    /// Whether both belong to the same execution.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.ended, &other.ended)
    }
}

impl Execution {
    /// The execution of a job that is submitted now.
    pub fn new(id: JobId, submission: Arc<Submission>) -> Self {
        Self {
            id,
            submission,
            submitted: Instant::now(),
            progress: Progress::default(),
        }
    }

    /// Executes the job, and retries it while the service rejects it for now.
    pub async fn run(
        &self,
        service: &Service,
        waiting: &Waiting,
    ) -> Outcome<Result<Performed, Error>> {
        loop {
            let error = match self.attempt(service).await {
                Outcome::Finished(Err(error)) => error,
                outcome
                @ (Outcome::Finished(Ok(_)) | Outcome::TimedOut(_) | Outcome::Cancelled) => {
                    return outcome;
                }
            };
            let may_wait = self.submitted.elapsed() < waiting.max_wait;
            let Some(pause) = pause_after(&error).filter(|_| may_wait) else {
                return Outcome::Finished(Err(error));
            };
            let _waiting = waiting.jobs.count();
            let pause = sleep(pause.min(waiting.longest_pause));
            match self.within_limits(pause).await {
                Outcome::Finished(()) => {}
                Outcome::TimedOut(error) => return Outcome::TimedOut(error),
                Outcome::Cancelled => return Outcome::Cancelled,
            }
        }
    }

    /// Executes the job once. A panic becomes an error.
    pub async fn attempt(&self, service: &Service) -> Outcome<Result<Performed, Error>> {
        let answer = service.perform(&self.submission.request, self.progress.call.clone());
        let answer = async {
            match AssertUnwindSafe(answer).catch_unwind().await {
                Ok(outcome) => outcome,
                Err(_) => Err(Error::internal("performing the job panicked")),
            }
        };
        self.within_limits(answer).await
    }

    /// Logs the cause of an internal error, which the job's own error does not reveal.
    pub fn log_defect(&self, error: &Error) {
        if let Error::Internal(cause) = error {
            log::error!(job_id:% = self.id; "defect cause={:?}", with_causes(cause.as_ref()));
        }
    }

    /// Runs `future`; it is dropped when a limit is reached or the job has ended.
    async fn within_limits<F: Future>(&self, future: F) -> Outcome<F::Output> {
        tokio::select! {
            biased;
            () = self.progress.wait_ended() => Outcome::Cancelled,
            // The texts of a cancelled job may be gone in the moment before its end is known.
            output = future => match self.progress.call.is_cancelled() {
                true => Outcome::Cancelled,
                false => Outcome::Finished(output),
            },
            error = self.timed_out() => Outcome::TimedOut(error),
        }
    }

    async fn timed_out(&self) -> String {
        let policy = self.submission.policy;
        let too_long = async {
            self.progress.call.wait_started().await;
            sleep(policy.execution_timeout).await;
        };
        let why = tokio::select! {
            () = sleep(policy.ttl.saturating_sub(self.submitted.elapsed())) => {
                format!("the job did not end within its ttl of {} ms", policy.ttl.as_millis())
            }
            () = too_long => {
                format!("the job ran for longer than {} ms", policy.execution_timeout.as_millis())
            }
        };
        format!("{}: {why}", Code::Timeout)
    }
}

/// The pause before the next attempt; `None` if waiting does not help.
fn pause_after(error: &Error) -> Option<Duration> {
    let is_final = matches!(
        error,
        Error::Unavailable(Unavailable::NotLoaded | Unavailable::Stopping)
    );
    error.retry_after().filter(|_| !is_final)
}
