//! From a job's input to the bytes that RunPod gets for it.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use serde::Serialize;
use serde_json::value::RawValue;

use super::job_id::JobId;
use super::parse::Input;
use super::timings::Timings;
use crate::jobs;
use crate::service::{Error, Performed, Service, with_causes};

/// The answer to a job, serialised once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What is posted, every time the same.
    pub body: Bytes,
    /// Whether it is a result and not an error: an error may go another way the next time.
    pub is_output: bool,
}

impl Answer {
    fn output(output: &RawValue) -> Self {
        Self {
            body: Bytes::from(format!(r#"{{"output":{output}}}"#)),
            is_output: true,
        }
    }

    /// A failed job. RunPod shows it as failed only where the error is a string.
    pub fn error(line: &str) -> Self {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a str,
        }
        let body = serde_json::to_vec(&Body { error: line });
        Self {
            // Text always serialises.
            body: body
                .unwrap_or_else(|_| br#"{"error":"internal"}"#.to_vec())
                .into(),
            is_output: false,
        }
    }
}

/// Performs the job `id`.
pub async fn answer(service: &Service, id: &JobId, input: Input, timings: &Timings) -> Answer {
    let begin = Instant::now();
    let outcome = match input {
        Ok(input) => perform(service, &input, timings).await,
        Err(error) => Err(error),
    };
    let milliseconds = begin.elapsed().as_secs_f64() * 1e3;
    match outcome {
        Ok(performed) => {
            log::info!(
                job_id:% = id;
                "job outcome=completed texts={} waited_ms={:.1} duration_ms={milliseconds:.1}",
                performed.texts,
                performed.waited.as_secs_f64() * 1e3,
            );
            Answer::output(&performed.output)
        }
        Err(error) => {
            log::info!(
                job_id:% = id;
                "job outcome=failed code={} duration_ms={milliseconds:.1}",
                error.code()
            );
            if let Error::Internal(cause) = &error {
                log::error!(job_id:% = id; "defect cause={:?}", with_causes(cause.as_ref()));
            }
            Answer::error(&error.line())
        }
    }
}

/// A job that was taken has its place: where the service is full for now, it waits as long as RunPod does.
async fn perform(
    service: &Service,
    input: &RawValue,
    timings: &Timings,
) -> Result<Performed, Error> {
    let begin = Instant::now();
    loop {
        let attempt = AssertUnwindSafe(jobs::perform(service, input)).catch_unwind();
        let outcome = attempt
            .await
            .unwrap_or_else(|_| Err(Error::Internal("the job panicked".into())));
        match outcome {
            Err(Error::Overloaded { retry_after }) if begin.elapsed() < timings.job => {
                let pause: Duration = retry_after.min(timings.overloaded);
                tokio::time::sleep(pause).await;
            }
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_answered_with_an_output_or_an_error_and_never_with_both() {
        let output: Box<RawValue> = serde_json::from_str(r#"{"embedding":[0.5]}"#).unwrap();
        assert_eq!(
            Answer::output(&output).body,
            r#"{"output":{"embedding":[0.5]}}"#
        );
        assert_eq!(
            Answer::error("invalid: \"x\"\n").body,
            r#"{"error":"invalid: \"x\"\n"}"#
        );
    }
}
