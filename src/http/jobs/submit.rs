//! Submitting jobs: `/run`, `/runsync` and `/{endpoint}/realtime`.

use actix_web::web::{Data, Json};
use actix_web::{HttpMessage, HttpRequest, post};
use utoipa::IntoParams;

use super::envelope::{Envelope, JobRequest};
use super::jobs::Jobs;
use super::parameters;
use super::report::{BareResult, Receipt, Report};
use crate::http::error_responses::JobFailures;
use crate::http::trace::Texts;
use crate::jobs::Span;
use crate::service::Error;

/// How long a caller may want to wait.
const WAIT: Span = Span {
    field: "wait",
    shortest: 1000,
    longest: 300_000,
};

/// Query parameters.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `parameters` reads")]
struct RunsyncParameters {
    /// Milliseconds to wait. A job that has not ended by then continues asynchronously, and `/status/{id}` has its result.
    /// Without it the job is cancelled when the client disconnects.
    #[param(minimum = 1000, maximum = 300_000)]
    wait: Option<u64>,
}

/// Run a job and wait for its result
///
/// The actions are `embed_query` (one query or a list), `embed_batch` (a list of texts) and `health_check`. Vectors
/// have length 1 and come in the order of the texts. A text of more tokens than the model takes is truncated. Queries
/// have priority over bulk texts. An invalid input is answered as RunPod answers it: status 200, with a `FAILED` job
/// whose error says why. Instead of an action the input may hold a request in OpenAI's form, as RunPod passes it on
/// (`openai_route` and `openai_input`) or as RunPod's own embedding worker takes it (`input` and `model`).
#[utoipa::path(
    tag = "RunPod",
    params(RunsyncParameters),
    request_body(
        content = JobRequest,
        description = "The job's envelope.",
        content_type = "application/json",
        examples(
            ("A query" = (summary = "One query", value = json!({"input": {"query": "What is machine learning?"}}))),
            ("Health check" = (
                summary = "Whether the model answers",
                value = json!({"input": {"action": "health_check"}})
            )),
            ("Queries" = (
                summary = "A list of queries",
                value = json!({"input": {
                    "action": "embed_query",
                    "queries": ["What is machine learning?", "Was ist maschinelles Lernen?"],
                }})
            )),
            ("OpenAI" = (
                summary = "A request of OpenAI's, as RunPod passes it on",
                value = json!({"input": {
                    "openai_route": "/v1/embeddings",
                    "openai_input": {"input": "What is machine learning?"},
                }})
            )),
            ("Embedding worker" = (
                summary = "As RunPod's own embedding worker takes it",
                value = json!({"input": {"model": null, "input": "What is machine learning?"}})
            )),
            ("Texts" = (
                summary = "A list of texts in bulk",
                value = json!({"input": {
                    "action": "embed_batch",
                    "texts": ["Machine learning is a part of artificial intelligence.", "Berlin liegt an der Spree."],
                }})
            )),
        ),
    ),
    responses(
        (status = 200, description = "The job has ended, well or not, or `wait` is over: see `status`.", body = Report),
        JobFailures,
    ),
)]
#[post("/runsync")]
pub async fn runsync(
    jobs: Data<Jobs>,
    request: HttpRequest,
    envelope: Envelope,
) -> Result<Json<Report>, Error> {
    let report = match parameters::span(&request, WAIT)? {
        Some(wait) => jobs.perform_within(envelope, wait).await?,
        None => jobs.perform(envelope).await?,
    };
    request.extensions_mut().insert(Texts(report.texts));
    Ok(Json(report))
}

/// Run a job asynchronously
///
/// The job runs whether or not its status is requested. It waits while the model loads and while the queue is full.
/// `/status/{id}` has its result. A job that has not ended when the server stops is lost. `"webhook"` beside
/// `input` may give an `http` or `https` URL of a public host, to which the job is posted when it has ended: at most three
/// times, until it answers with 2xx.
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
pub async fn run(jobs: Data<Jobs>, envelope: Envelope) -> Result<Json<Receipt>, Error> {
    jobs.submit(envelope).map(Json)
}

/// The path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "any name is accepted")]
struct RealtimePath {
    /// The endpoint's name; any name is accepted.
    #[param(example = "query")]
    endpoint: String,
}

/// Run a job and wait for its bare result
///
/// As `/runsync` without `wait`; the answer holds the job's `output` or its `error`, and nothing else.
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
    envelope: Envelope,
) -> Result<Json<BareResult>, Error> {
    let report = jobs.perform(envelope).await?;
    request.extensions_mut().insert(Texts(report.texts));
    Ok(Json(report.into()))
}
