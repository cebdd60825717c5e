//! `/run`: a job that goes on by itself.

use actix_web::post;
use actix_web::web::{Data, Json};

use super::envelope::{Envelope, JobRequest};
use super::error::JobFailures;
use crate::jobs::{Jobs, Receipt};
use crate::service::Error;

/// Hand in a job and come back for its result
///
/// It begins at once and is performed whether anybody asks for it or not; while the model loads, or too many texts
/// wait, it waits. `/status/{id}` has its result. What is not done when the server ends is lost. `"webhook"` beside
/// `input` may give an `http` or `https` URL, to which the job is posted when it has ended: at most three times, until
/// it answers with 2xx.
#[utoipa::path(
    tag = "RunPod",
    request_body(
        content = JobRequest,
        description = "The job's envelope.",
        content_type = "application/json",
        example = json!({"input": {"query": "What is machine learning?"}}),
    ),
    responses(
        (status = 200, description = "The job waits; its `id` leads to its result.", body = Receipt),
        JobFailures,
    ),
)]
#[post("/run")]
pub async fn run(jobs: Data<Jobs>, Envelope(order): Envelope) -> Result<Json<Receipt>, Error> {
    jobs.submit(order).map(Json)
}
