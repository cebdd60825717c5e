//! `/v1/embeddings`: texts to vectors.

use serde_json::value::RawValue;

use super::answer::Embeddings;
use super::request::Request;
use crate::engine::{Call, Priority};
use crate::service::{Error, Performed, Service};

/// Answers a body that errors call `part`.
pub async fn embeddings(
    service: &Service,
    body: &RawValue,
    part: &'static str,
    call: Call,
) -> Result<Performed, Error> {
    service.account(answer(service, body, part, call)).await
}

async fn answer(
    service: &Service,
    body: &RawValue,
    part: &'static str,
    call: Call,
) -> Result<Performed, Error> {
    let request = Request::parse(body, part, service.limits().texts)?;
    let model = service.model()?;
    request.check(model)?;
    let (texts, format) = (request.texts, request.encoding_format);
    let count = texts.len();
    // Somebody waits for a lone text; lists are how documents come.
    let priority = match count {
        1 => Priority::Interactive,
        _ => Priority::Bulk,
    };
    let embedded = service
        .embed(texts, priority, format.notation(), call)
        .await?;
    let waited = embedded.waited;
    service.performed(&Embeddings::new(model, embedded, format), count, waited)
}
