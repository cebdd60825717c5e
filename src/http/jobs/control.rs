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
/// A waiting job never starts, a running job is stopped, and a job that has ended stays as it is.
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

/// Retry a job
///
/// A `FAILED` or `TIMED_OUT` job is queued again, with the same `id`, input, policy and webhook.
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

/// The outcome of a purge.
#[derive(Serialize, ToSchema)]
struct Purged {
    /// Jobs that were cancelled.
    #[schema(example = 2)]
    removed: usize,
    /// Always `completed`.
    #[schema(example = "completed")]
    status: &'static str,
}

/// Cancel all waiting jobs
///
/// Their status becomes `CANCELLED`. Running jobs continue.
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
