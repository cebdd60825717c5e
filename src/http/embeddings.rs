//! `/v1/embeddings`: vectors as OpenAI's API gives them.

use actix_web::web::{Data, Json, Payload};
use actix_web::{HttpMessage, HttpRequest, post};
use serde_json::value::RawValue;

use super::envelope::{self, PART};
use super::openai_error::OpenAiFailures;
use super::trace::Texts;
use crate::openai::{self, Embeddings, EmbeddingsRequest};
use crate::service::{Call, Error, Service};

/// Turn texts into vectors
///
/// As OpenAI's API does it, for clients that are written for that. `dimensions`, where it is given, must be the model's own
/// number; what else OpenAI's API knows is ignored. Errors have OpenAI's shape.
#[utoipa::path(
    tag = "OpenAI",
    request_body(
        content = EmbeddingsRequest,
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
    let body = envelope::read_json(&request, payload.into_inner()).await?;
    let answer = openai::embeddings(&service, &body, PART, Call::default());
    let performed = service.in_time(answer).await?;
    request.extensions_mut().insert(Texts(performed.texts));
    Ok(Json(performed.output))
}
