//! `/retry`: tries a job again.

use actix_web::post;
use actix_web::web::{Data, Json};

use super::error::{ConflictFailure, LookupFailures};
use super::job_path::JobPath;
use crate::jobs::{Jobs, Receipt};
use crate::service::Error;

/// Try a job again
///
/// One that is `FAILED` or `TIMED_OUT` waits again, with the same `id`, input, policy and webhook.
#[utoipa::path(
    tag = "RunPod",
    params(JobPath),
    responses(
        (status = 200, description = "The job waits again.", body = Receipt),
        ConflictFailure,
        LookupFailures,
    ),
)]
#[post("/retry/{id}")]
pub async fn retry(jobs: Data<Jobs>, job: JobPath) -> Result<Json<Receipt>, Error> {
    jobs.retry(&job.id).map(Json)
}
