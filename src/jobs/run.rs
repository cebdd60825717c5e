//! One try at a job, within its limits and as long as nobody takes it back.

use std::time::Duration;

use tokio::time::sleep;

use super::perform;
use super::table::Assignment;
use crate::service::{Code, Error, Performed, Service, Unavailable};

/// What came of a future that stands for a job.
pub(super) enum Limited<T> {
    /// It ended.
    Done(T),
    /// The job's time was over first; this is its error.
    Late(String),
    /// The job ended first.
    Over,
}

/// Performs a job.
pub(super) async fn attempt(
    service: &Service,
    job: &Assignment,
) -> Limited<Result<Performed, Error>> {
    let answer = perform(service, &job.input, job.run.call.clone());
    within_limits(job, answer).await
}

/// Runs `future` for a job; it is dropped when the job's time is over or the job has ended.
pub(super) async fn within_limits<F: Future>(job: &Assignment, future: F) -> Limited<F::Output> {
    tokio::select! {
        biased;
        () = job.run.over() => Limited::Over,
        output = future => match job.run.call.is_cancelled() {
            true => Limited::Over,
            false => Limited::Done(output),
        },
        error = late(job) => Limited::Late(error),
    }
}

async fn late(job: &Assignment) -> String {
    let (ttl, longest) = (job.policy.ttl, job.policy.execution_timeout);
    let ran_out = async {
        job.run.call.wait_started().await;
        sleep(longest).await;
    };
    let why = tokio::select! {
        () = sleep(ttl.saturating_sub(job.submitted.elapsed())) => {
            format!("the job did not end within its ttl of {} ms", ttl.as_millis())
        }
        () = ran_out => format!("the job ran for longer than {} ms", longest.as_millis()),
    };
    format!("{}: {why}", Code::Timeout)
}

/// When to try again; nothing where waiting does not help.
pub(super) fn pause_after(error: &Error) -> Option<Duration> {
    let is_the_end = matches!(error, Error::Unavailable(Unavailable::Stopping));
    error.retry_after().filter(|_| !is_the_end)
}

/// Whether the code says that the input, though well formed, asks for what cannot be done.
pub(super) const fn refuses_input(code: Code) -> bool {
    match code {
        Code::Invalid | Code::TooLarge => true,
        Code::Malformed
        | Code::Unauthorized
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::Conflict
        | Code::UnsupportedMediaType
        | Code::Overloaded
        | Code::Internal
        | Code::Unavailable
        | Code::Timeout => false,
    }
}
