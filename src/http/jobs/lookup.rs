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

/// Query parameters.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `parameters` reads")]
struct StatusParameters {
    /// Milliseconds after which the result is forgotten, if that is earlier than it would be anyway.
    #[param(minimum = 1, maximum = 604_800_000)]
    ttl: Option<u64>,
}

/// Get the status and the result of a job
///
/// Results of `/run` are kept for half an hour after the job's end and those of `/runsync` for a minute, or less if their
/// memory is full.
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

/// Get the status of a job by POST, as from RunPod's development server
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

/// Get the output of a job that was not returned before
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

/// Get new output by POST, as from RunPod's development server
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
