//! What callers are told of a job.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::job_status::JobStatus;
use crate::jobs::JobId;
use crate::service::Output;
use crate::service::openai::{Embeddings, JobError, ModelList};

/// What a job gives, as users read about it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what is passed on as it is")]
pub enum JobOutput {
    /// To an action.
    Action(Output),
    /// To `openai_route` `/v1/embeddings`.
    OpenAiEmbeddings(Embeddings),
    /// To `openai_route` `/v1/models`.
    OpenAiModels(ModelList),
    /// To an invalid request of OpenAI's.
    OpenAiError(JobError),
}

/// A job and where it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Job)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The job's name.
    #[schema(value_type = String, example = "sync-1ba3bd5e-7d1c-4a4a-9d8c-7d1d3a0a9d3f")]
    pub id: JobId,
    /// Where it is.
    #[schema(example = "COMPLETED")]
    pub status: JobStatus,
    /// What was asked for, if the job is completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<JobOutput>)]
    pub output: Option<Arc<RawValue>>,
    /// `code: message`, if the job failed or took too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = json!(null))]
    pub error: Option<Arc<str>>,
    /// Milliseconds for which it waited, once it has begun or ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3)]
    pub delay_time: Option<u64>,
    /// Milliseconds for which it ran, once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 63)]
    pub execution_time: Option<u64>,
    /// Texts that were embedded for it.
    #[serde(skip)]
    pub texts: usize,
}

/// What a job gave: one of the two.
#[derive(Serialize, ToSchema)]
pub struct BareResult {
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<JobOutput>)]
    output: Option<Arc<RawValue>>,
    /// `code: message`, if the job failed or took too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = json!(null))]
    error: Option<Arc<str>>,
}

impl From<Report> for BareResult {
    fn from(report: Report) -> Self {
        let Report { output, error, .. } = report;
        Self { output, error }
    }
}

/// A job's name, and where it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Receipt {
    /// The job's name.
    #[schema(value_type = String, example = "1ba3bd5e-7d1c-4a4a-9d8c-7d1d3a0a9d3f-u1")]
    pub id: JobId,
    /// Where it is.
    pub status: JobStatus,
}

/// What a job has given since it was last asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Stream {
    /// The job's name.
    #[schema(value_type = String, example = "1ba3bd5e-7d1c-4a4a-9d8c-7d1d3a0a9d3f-u1")]
    pub id: JobId,
    /// Where it is.
    #[schema(example = "COMPLETED")]
    pub status: JobStatus,
    /// Nothing, or the one output; it is given once.
    pub stream: Vec<Chunk>,
    /// `code: message`, if the job failed or took too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = json!(null))]
    pub error: Option<Arc<str>>,
}

/// A part of what a job gives; here always the whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Chunk {
    /// What was asked for.
    #[schema(value_type = JobOutput)]
    pub output: Arc<RawValue>,
}

/// Whole milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
