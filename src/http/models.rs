//! `/v1/models`: what is served, as OpenAI's API says it.

use actix_web::get;
use actix_web::web::{Data, Json};
use serde_json::value::RawValue;

use super::openai_error::OpenAiUnavailable;
use crate::openai::{self, ModelList};
use crate::service::{Error, Service};

/// List the models
///
/// As OpenAI's API does it; there is always one. Errors have OpenAI's shape.
#[utoipa::path(
    tag = "OpenAI",
    responses(
        (status = 200, description = "The one model.", body = ModelList),
        OpenAiUnavailable,
    ),
)]
#[get("/v1/models")]
pub async fn models(service: Data<Service>) -> Result<Json<Box<RawValue>>, Error> {
    Ok(Json(openai::models(&service).await?.output))
}
