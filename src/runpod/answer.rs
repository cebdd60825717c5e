//! The answer to a job, as the bytes that are posted to RunPod.

use std::time::Instant;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::batch::Batch;
use crate::jobs::{Execution, Outcome, Waiting};
use crate::service::Service;

/// The answer to a job, serialised once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What is posted, every time the same.
    pub body: Bytes,
    /// Whether it is a result and not an error: the job may succeed the next time.
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

/// Performs a job of `batch`.
pub async fn answer(
    service: &Service,
    job: &Execution,
    batch: &Batch,
    waiting: &Waiting,
) -> Answer {
    let start = Instant::now();
    let outcome = job.run(service, waiting).await;
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    let id = &job.id;
    match outcome {
        Outcome::Finished(Ok(performed)) => {
            log::info!(
                job_id:% = id;
                "{batch}job outcome=completed texts={} waited_ms={:.1} duration_ms={milliseconds:.1}",
                performed.texts,
                performed.waited.as_secs_f64() * 1e3,
            );
            Answer::output(&performed.output)
        }
        Outcome::Finished(Err(error)) => {
            log::info!(
                job_id:% = id;
                "{batch}job outcome=failed code={} duration_ms={milliseconds:.1}",
                error.code()
            );
            job.log_defect(&error);
            Answer::error(&error.line())
        }
        Outcome::TimedOut(error) => {
            log::info!(job_id:% = id; "{batch}job outcome=timed_out duration_ms={milliseconds:.1}");
            Answer::error(&error)
        }
        Outcome::Cancelled => {
            log::info!(job_id:% = id; "{batch}job outcome=cancelled duration_ms={milliseconds:.1}");
            Answer::error("the job was cancelled")
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
