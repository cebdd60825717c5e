//! OpenAI's API: its routes, and the shape of every error under its addresses.

mod error_responses;

use actix_web::web::{Data, Json, Payload};
use actix_web::{HttpMessage, HttpRequest, get, post};
use serde_json::value::RawValue;
use utoipa_actix_web::service_config::ServiceConfig;

use self::error_responses::{OpenAiFailures, OpenAiUnavailable};
use super::body::{self, PART};
use super::trace::Texts;
use crate::service::openai::{
    Embeddings, EmbeddingsBody, EmbeddingsRequest, ModelList, OpenAiRequest,
};
use crate::service::{Call, Error, Request, Service};

pub use error_responses::{documented, is_openai, name, shape};

/// Registers the routes.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(embeddings).service(models);
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
