//! Changing jobs: `/cancel`, `/retry` and `/purge-queue`.

use actix_web::post;
use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::jobs::Jobs;
use super::parameters::JobPath;
use super::report::Receipt;
use crate::http::error_responses::{ConflictFailure, LookupFailures};
use crate::service::Error;

/// Cancel a job
///
/// One that waits is never begun, one that runs is dropped, and one that has ended stays as it is.
#[utoipa::path(
    tag = "RunPod",
    params(JobPath),
    responses(
        (status = 200, description = "Where the job is now.", body = Receipt),
        LookupFailures,
    ),
)]
#[post("/cancel/{id}")]
pub async fn cancel(jobs: Data<Jobs>, job: JobPath) -> Result<Json<Receipt>, Error> {
    jobs.cancel(&job.id).map(Json)
}

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

/// What was done.
#[derive(Serialize, ToSchema)]
struct Purged {
    /// Jobs that were cancelled.
    #[schema(example = 2)]
    removed: usize,
    /// Always `completed`.
    #[schema(example = "completed")]
    status: &'static str,
}

/// Cancel all jobs that wait
///
/// They are `CANCELLED` then. Running jobs continue.
#[utoipa::path(
    tag = "RunPod",
    responses((status = 200, description = "How many there were.", body = Purged)),
)]
#[post("/purge-queue")]
pub async fn purge_queue(jobs: Data<Jobs>) -> Json<Purged> {
    Json(Purged {
        removed: jobs.purge(),
        status: "completed",
    })
}
