//! `/cancel`: takes a job back.

use actix_web::post;
use actix_web::web::{Data, Json};

use super::error::LookupFailures;
use super::job_path::JobPath;
use crate::jobs::{Jobs, Receipt};
use crate::service::Error;

/// Take a job back
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
