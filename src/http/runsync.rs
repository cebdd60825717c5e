//! `/runsync`: a job as RunPod's API takes and answers it.

use std::time::{Duration, Instant};

use actix_web::web::{Data, Json};
use actix_web::{HttpMessage, HttpRequest, post};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::envelope::{Envelope, JobRequest};
use super::error::JobFailures;
use super::trace::Texts;
use crate::jobs;
use crate::service::{Code, Error, Output, Performed, Service};

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum JobStatus {
    /// It has an output.
    Completed,
    /// It has an error.
    Failed,
}

/// A job that has ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Job {
    /// The job's name.
    #[schema(example = "sync-1ba3bd5e-7d1c-4a4a-9d8c-7d1d3a0a9d3f")]
    id: String,
    /// How it ended.
    status: JobStatus,
    /// What was asked for, if the job is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Output>)]
    output: Option<Box<RawValue>>,
    /// `code: message`, if the job failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(null))]
    error: Option<String>,
    /// Milliseconds for which it waited.
    #[schema(example = 3)]
    delay_time: u64,
    /// Milliseconds for which it ran.
    #[schema(example = 63)]
    execution_time: u64,
}

impl Job {
    /// A refused input is a failed job; everything else that goes wrong is no job at all.
    fn new(outcome: Result<Performed, Error>, elapsed: Duration) -> Result<Self, Error> {
        let (output, error, waited) = match outcome {
            Ok(performed) => (Some(performed.output), None, performed.waited),
            Err(error) if refuses_input(error.code()) => (None, Some(error.line()), Duration::ZERO),
            Err(error) => return Err(error),
        };
        let status = if error.is_some() {
            JobStatus::Failed
        } else {
            JobStatus::Completed
        };
        Ok(Self {
            id: format!("sync-{}", Uuid::new_v4()),
            status,
            output,
            error,
            delay_time: milliseconds(waited),
            execution_time: milliseconds(elapsed.saturating_sub(waited)),
        })
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whether the code says that the input, though well formed, asks for what cannot be done.
const fn refuses_input(code: Code) -> bool {
    match code {
        Code::Invalid | Code::TooLarge => true,
        Code::Malformed
        | Code::Unauthorized
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::UnsupportedMediaType
        | Code::Overloaded
        | Code::Internal
        | Code::Unavailable
        | Code::Timeout => false,
    }
}

/// Perform a job and wait for its result
///
/// The actions are `embed_query` (one query or a list), `embed_batch` (a list of texts) and `health_check`. Vectors
/// have length 1 and come in the order of the texts; a text beyond the model's longest is cut off there. Queries go
/// ahead of texts in bulk. An input that cannot be done is answered as RunPod answers it: status 200, with a job that
/// has failed and says why.
#[utoipa::path(
    tag = "RunPod",
    request_body(
        content = JobRequest,
        description = "The job's envelope.",
        content_type = "application/json",
        examples(
            ("A query" = (summary = "One query", value = json!({"input": {"query": "What is machine learning?"}}))),
            ("Health check" = (
                summary = "Whether the model answers",
                value = json!({"input": {"action": "health_check"}})
            )),
            ("Queries" = (
                summary = "A list of queries",
                value = json!({"input": {
                    "action": "embed_query",
                    "queries": ["What is machine learning?", "Was ist maschinelles Lernen?"],
                }})
            )),
            ("Texts" = (
                summary = "A list of texts in bulk",
                value = json!({"input": {
                    "action": "embed_batch",
                    "texts": ["Machine learning is a part of artificial intelligence.", "Berlin liegt an der Spree."],
                }})
            )),
        ),
    ),
    responses(
        (status = 200, description = "The job has ended, well or not: see `status`.", body = Job),
        JobFailures,
    ),
)]
#[post("/runsync")]
pub async fn runsync(
    service: Data<Service>,
    envelope: Envelope,
    request: HttpRequest,
) -> Result<Json<Job>, Error> {
    let begin = Instant::now();
    let outcome = jobs::perform(&service, &envelope.input).await;
    if let Ok(performed) = &outcome {
        request.extensions_mut().insert(Texts(performed.texts));
    }
    Job::new(outcome, begin.elapsed()).map(Json)
}
