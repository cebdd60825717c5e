//! `/stream`: what a job has given since it was last asked.

use actix_web::web::{Data, Json};
use actix_web::{get, post};

use super::error::LookupFailures;
use super::job_path::JobPath;
use crate::jobs::{Jobs, Stream};
use crate::service::Error;

/// Ask for what a job has given since it was last asked
///
/// A job here gives its whole output at once: the first answer after its end has it, every other has nothing.
#[utoipa::path(
    tag = "RunPod",
    params(JobPath),
    responses(
        (status = 200, description = "What is new.", body = Stream),
        LookupFailures,
    ),
)]
#[get("/stream/{id}")]
pub async fn stream(jobs: Data<Jobs>, job: JobPath) -> Result<Json<Stream>, Error> {
    jobs.stream(&job.id).map(Json)
}

/// Ask for what is new, as RunPod's development server is asked
///
/// The same as with GET.
#[utoipa::path(
    tag = "RunPod",
    params(JobPath),
    responses(
        (status = 200, description = "What is new.", body = Stream),
        LookupFailures,
    ),
)]
#[post("/stream/{id}")]
pub async fn stream_by_post(jobs: Data<Jobs>, job: JobPath) -> Result<Json<Stream>, Error> {
    jobs.stream(&job.id).map(Json)
}
