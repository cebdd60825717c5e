//! The forms in which callers see a job.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::job_status::JobStatus;
use crate::jobs::JobId;
use crate::service::Output;
use crate::service::openai::{Embeddings, JobError, ModelList};

/// The output of a job, as the OpenAPI document shows it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what is passed on as it is")]
pub enum JobOutput {
    /// Of an action.
    Action(Output),
    /// Of `openai_route` `/v1/embeddings`.
    OpenAiEmbeddings(Embeddings),
    /// Of `openai_route` `/v1/models`.
    OpenAiModels(ModelList),
    /// Of an invalid request in OpenAI's form.
    OpenAiError(JobError),
}

/// A job and its status.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Job)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The job's id.
    #[schema(value_type = String, example = "sync-1ba3bd5e-7d1c-4a4a-9d8c-7d1d3a0a9d3f")]
    pub id: JobId,
    /// The job's status.
    #[schema(example = "COMPLETED")]
    pub status: JobStatus,
    /// The output of a completed job.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<JobOutput>)]
    pub output: Option<Arc<RawValue>>,
    /// `code: message` of a job that failed or timed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = json!(null))]
    pub error: Option<Arc<str>>,
    /// Milliseconds for which it waited, once it has started or ended.
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

/// The outcome of a job: an output or an error.
#[derive(Serialize, ToSchema)]
pub struct BareResult {
    /// The output.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<JobOutput>)]
    output: Option<Arc<RawValue>>,
    /// `code: message` of a job that failed or timed out.
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

/// A job's id and status.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Receipt {
    /// The job's id.
    #[schema(value_type = String, example = "1ba3bd5e-7d1c-4a4a-9d8c-7d1d3a0a9d3f-u1")]
    pub id: JobId,
    /// The job's status.
    pub status: JobStatus,
}

/// The output of a job since the last request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Stream {
    /// The job's id.
    #[schema(value_type = String, example = "1ba3bd5e-7d1c-4a4a-9d8c-7d1d3a0a9d3f-u1")]
    pub id: JobId,
    /// The job's status.
    #[schema(example = "COMPLETED")]
    pub status: JobStatus,
    /// Empty, or the one output, which is returned once.
    pub stream: Vec<Chunk>,
    /// `code: message` of a job that failed or timed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = json!(null))]
    pub error: Option<Arc<str>>,
}

/// A part of an output; here always the whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Chunk {
    /// The output.
    #[schema(value_type = JobOutput)]
    pub output: Arc<RawValue>,
}

/// Whole milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
