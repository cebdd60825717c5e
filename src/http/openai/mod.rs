//! OpenAI's API: its routes, and the shape of every error under its addresses.

mod error_responses;

use actix_web::web::{Data, Json, Payload};
use actix_web::{HttpMessage, HttpRequest, get, post};
use serde_json::value::RawValue;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use self::error_responses::{OpenAiFailures, OpenAiLookupFailures, OpenAiUnavailable};
use super::body::{self, PART};
use super::trace::Texts;
use crate::service::openai::{
    Embeddings, EmbeddingsBody, EmbeddingsRequest, Model, ModelList, ModelName, OpenAiRequest,
};
use crate::service::{Call, Error, Request, Service};

pub use error_responses::{documented, is_openai, name, shape};

/// Address of one model, as the document has it and as it is routed: a model's name may hold a slash.
const MODEL: [&str; 2] = ["/v1/models/{id}", "/v1/models/{id:.+}"];

/// The pattern of a documented address.
pub fn pattern(path: &str) -> String {
    let [documented, routed] = MODEL;
    path.replace(documented, routed)
}

/// Registers the routes.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(embeddings).service(models).service(model);
}

/// Embed texts
///
/// For clients of OpenAI's API. `dimensions`, if given, must be the model's own number. Other fields of OpenAI's API are
/// ignored. Errors have OpenAI's shape.
#[utoipa::path(
    tag = "OpenAI",
    request_body(
        content = EmbeddingsBody,
        content_type = "application/json",
        examples(
            ("A text" = (summary = "One text", value = json!({"input": "What is machine learning?"}))),
            ("Texts" = (
                summary = "A list of texts, as base64",
                value = json!({
                    "input": ["What is machine learning?", "Was ist maschinelles Lernen?"],
                    "encoding_format": "base64",
                })
            )),
        ),
    ),
    responses(
        (status = 200, description = "The vectors.", body = Embeddings),
        OpenAiFailures,
    ),
)]
#[post("/v1/embeddings")]
pub async fn embeddings(
    service: Data<Service>,
    request: HttpRequest,
    payload: Payload,
) -> Result<Json<Box<RawValue>>, Error> {
    let texts = service.limits().texts;
    let parse = move |body: &[u8]| EmbeddingsRequest::parse(body::json(body)?, PART, texts);
    let parsed = body::read(&request, payload.into_inner(), parse).await?;
    let parsed = parsed.map(|request| Request::OpenAi(OpenAiRequest::Embeddings(request)));
    let answer = service.perform(&parsed, Call::default());
    let performed = service.in_time(answer).await?;
    request.extensions_mut().insert(Texts(performed.texts));
    Ok(Json(performed.output))
}

/// List the models
///
/// For clients of OpenAI's API; there is always one. Errors have OpenAI's shape.
#[utoipa::path(
    tag = "OpenAI",
    responses(
        (status = 200, description = "The one model.", body = ModelList),
        OpenAiUnavailable,
    ),
)]
#[get("/v1/models")]
pub async fn models(service: Data<Service>) -> Result<Json<Box<RawValue>>, Error> {
    let request = Ok(Request::OpenAi(OpenAiRequest::Models));
    let performed = service.perform(&request, Call::default()).await?;
    Ok(Json(performed.output))
}

/// The path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes the path")]
struct ModelPath {
    /// Any name of the served model: its repository, with the slash as it is or encoded, or its short name.
    #[param(example = "BAAI/bge-m3")]
    id: String,
}

/// Look up a model
///
/// For clients of OpenAI's API. Any model but the served one is not found. Errors have OpenAI's shape.
#[utoipa::path(
    tag = "OpenAI",
    params(ModelPath),
    responses(
        (status = 200, description = "The model.", body = Model),
        OpenAiLookupFailures,
    ),
)]
#[get("/v1/models/{id:.+}")]
pub async fn model(
    service: Data<Service>,
    request: HttpRequest,
) -> Result<Json<Box<RawValue>>, Error> {
    // The router has decoded everything but the slash and the percent sign.
    let name = ModelName::decoded(request.match_info().query("id"));
    let request = OpenAiRequest::Model(name);
    let performed = service
        .perform(&Ok(Request::OpenAi(request)), Call::default())
        .await?;
    Ok(Json(performed.output))
}
