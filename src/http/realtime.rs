//! `/{endpoint}/realtime`: a job as RunPod's development server takes it there, and its bare result.

use actix_web::web::{Data, Json};
use actix_web::{HttpMessage, HttpRequest, post};
use utoipa::IntoParams;

use super::envelope::{Envelope, JobRequest};
use super::error::JobFailures;
use super::trace::Texts;
use crate::jobs::{BareResult, Jobs};
use crate::service::Error;

/// The address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "every name is right")]
struct RealtimePath {
    /// The endpoint's name; here every name is right.
    #[param(example = "query")]
    endpoint: String,
}

/// Perform a job and wait for its bare result
///
/// As `/runsync` without `wait` does it; the answer is the job's `output` or its `error`, and nothing else.
#[utoipa::path(
    tag = "RunPod",
    params(RealtimePath),
    request_body(
        content = JobRequest,
        description = "The job's envelope.",
        content_type = "application/json",
        example = json!({"input": {"query": "What is machine learning?"}}),
    ),
    responses(
        (status = 200, description = "The job has ended, well or not.", body = BareResult),
        JobFailures,
    ),
)]
#[post("/{endpoint}/realtime")]
pub async fn realtime(
    jobs: Data<Jobs>,
    request: HttpRequest,
    Envelope(order): Envelope,
) -> Result<Json<BareResult>, Error> {
    let report = jobs.perform(order).await?;
    request.extensions_mut().insert(Texts(report.texts));
    Ok(Json(report.into()))
}
