//! Errors of OpenAI's routes: the same statuses and headers as everywhere, with OpenAI's body.

use std::collections::BTreeMap;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

use crate::http::error_responses;
use crate::service::openai::ErrorBody;
use crate::service::{Code, Error};

/// The prefix of OpenAI's routes, and of no other.
const ADDRESS: &str = "/v1/";

/// The errors of the embeddings route.
pub struct OpenAiFailures;

impl IntoResponses for OpenAiFailures {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        error_responses::references_named(
            name,
            [
                Code::Malformed,
                Code::NotFound,
                Code::TooLarge,
                Code::UnsupportedMediaType,
                Code::Invalid,
                Code::Overloaded,
                Code::Internal,
                Code::Unavailable,
                Code::Timeout,
            ],
        )
    }
}

/// The error of the models route.
pub struct OpenAiUnavailable;

impl IntoResponses for OpenAiUnavailable {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        error_responses::references_named(name, [Code::Unavailable])
    }
}

/// The errors of the route of one model.
pub struct OpenAiLookupFailures;

impl IntoResponses for OpenAiLookupFailures {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        error_responses::references_named(name, [Code::NotFound, Code::Unavailable])
    }
}

/// Name of a code's response in the document.
pub fn name(code: Code) -> String {
    format!("openai_{code}")
}

/// Every error's response in OpenAI's shape, for the document's components.
pub fn documented() -> BTreeMap<String, RefOr<Response>> {
    error_responses::documented_as(name, "OpenAiErrorBody", |error| {
        serde_json::to_value(ErrorBody::from(error)).ok()
    })
}

/// Whether a path is under OpenAI's prefix, even if it matches no route.
pub fn is_openai(path: &str) -> bool {
    path.starts_with(ADDRESS) || path.contains("/openai/v1/")
}

/// Replaces the body of an error with OpenAI's.
pub async fn shape(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, actix_web::Error> {
    let is_openai = is_openai(request.path());
    let response = next.call(request).await?;
    let error = response.response().error();
    let body = error
        .and_then(|error| error.as_error::<Error>())
        .filter(|_| is_openai)
        .and_then(|error| serde_json::to_string(&ErrorBody::from(error)).ok());
    Ok(match body {
        Some(body) => response.map_body(|_, _| EitherBody::right(BoxBody::new(body))),
        None => response.map_into_left_body(),
    })
}
