//! Looking up jobs: `/status` and `/stream`.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get, post};
use utoipa::IntoParams;

use super::jobs::Jobs;
use super::parameters::{self, JobPath};
use super::report::{Report, Stream};
use crate::http::error_responses::{LookupFailures, MalformedFailure};
use crate::jobs::{LONGEST, Span};
use crate::service::Error;

/// Time for which a result is kept after this request.
const TTL: Span = Span {
    field: "ttl",
    shortest: 1,
    longest: LONGEST,
};

/// What can be asked beside the job.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `parameters` reads")]
struct StatusParameters {
    /// Milliseconds after which the result is forgotten, if that is earlier than it would be anyway.
    #[param(minimum = 1, maximum = 604_800_000)]
    ttl: Option<u64>,
}

/// Ask where a job is, and for its result
///
/// Results of `/run` are kept for half an hour and those of `/runsync` for a minute after the job's end, less if memory
/// runs short.
#[utoipa::path(
    tag = "RunPod",
    params(JobPath, StatusParameters),
    responses(
        (status = 200, description = "The job.", body = Report),
        MalformedFailure,
        LookupFailures,
    ),
)]
#[get("/status/{id}")]
pub async fn status(
    jobs: Data<Jobs>,
    job: JobPath,
    request: HttpRequest,
) -> Result<Json<Report>, Error> {
    report(&jobs, &job, &request)
}

/// Ask where a job is, as RunPod's development server is asked
///
/// The same as with GET.
#[utoipa::path(
    tag = "RunPod",
    params(JobPath, StatusParameters),
    responses(
        (status = 200, description = "The job.", body = Report),
        MalformedFailure,
        LookupFailures,
    ),
)]
#[post("/status/{id}")]
pub async fn status_by_post(
    jobs: Data<Jobs>,
    job: JobPath,
    request: HttpRequest,
) -> Result<Json<Report>, Error> {
    report(&jobs, &job, &request)
}

fn report(jobs: &Jobs, job: &JobPath, request: &HttpRequest) -> Result<Json<Report>, Error> {
    let ttl = parameters::span(request, TTL)?;
    jobs.status(&job.id, ttl).map(Json)
}

/// Ask for what a job has given since it was last asked
///
/// A job here gives its whole output at once: the first answer after its end has it, every other has nothing. A job that
/// has not ended is waited for, for at most five seconds.
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
    jobs.stream(&job.id).await.map(Json)
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
    jobs.stream(&job.id).await.map(Json)
}
