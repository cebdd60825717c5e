//! From a request to its input: content type, size, and the envelope `{"input": {...}}`.

use std::time::Duration;

use actix_web::body::{BodyStream, to_bytes_limited};
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{FutureExt, LocalBoxFuture};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::jobs::{Order, PolicyFields};
use crate::openai;
use crate::service::{Error, INPUT, Input, Kind, Malformed, TooLarge, quote};

/// How errors call the body.
pub const PART: &str = openai::BODY;

/// How much of a body is read, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Largest body, in bytes.
    pub bytes: usize,
    /// Longest time until it is complete.
    pub time: Duration,
}

/// The envelope of a job.
///
/// Beside these fields `webhook` may give an `http` or `https` URL of at most 2048 bytes, to which the job's report is
/// posted when it has ended.
#[derive(Serialize, ToSchema)]
pub struct JobRequest {
    /// What is asked for.
    pub input: Input,
    /// How long the job may take.
    #[schema(example = json!(null))]
    pub policy: Option<PolicyFields>,
}

/// An envelope whose input is an object; what is in it is for the service to judge. Fields that are not listed are
/// nobody's business.
pub struct Envelope(pub Order);

impl FromRequest for Envelope {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        async move { Self::parse(&read(&request, payload).await?) }.boxed_local()
    }
}

impl Envelope {
    fn parse(body: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            input: Option<&'a RawValue>,
            #[serde(borrow)]
            webhook: Option<&'a RawValue>,
            #[serde(borrow)]
            policy: Option<&'a RawValue>,
        }
        let json = |reason| Malformed::Json { part: PART, reason };
        let body: &RawValue = serde_json::from_slice(body).map_err(json)?;
        object(PART, body)?;
        let fields: Fields<'_> = serde_json::from_str(body.get()).map_err(json)?;
        let input = fields.input.ok_or(Malformed::NoInput)?;
        object(INPUT, input)?;
        let order = Order::new(input.to_owned(), fields.policy, fields.webhook)?;
        Ok(Self(order))
    }
}

fn object(part: &'static str, value: &RawValue) -> Result<(), Malformed> {
    match Kind::of(value) {
        Kind::Object => Ok(()),
        found @ (Kind::Null | Kind::Boolean | Kind::Number | Kind::String | Kind::List) => {
            Err(Malformed::NotAnObject { part, found })
        }
    }
}

/// A body of any JSON.
pub async fn read_json(request: &HttpRequest, payload: Payload) -> Result<Box<RawValue>, Error> {
    let json = |reason| Malformed::Json { part: PART, reason };
    let body = read(request, payload).await?;
    Ok(serde_json::from_slice(&body).map_err(json)?)
}

async fn read(request: &HttpRequest, payload: Payload) -> Result<Bytes, Error> {
    check_content(request)?;
    let BodyLimits { bytes, time } = request
        .app_data::<Data<BodyLimits>>()
        .map(|limits| *limits.get_ref())
        .ok_or_else(|| Error::Internal("the body limits are not installed".into()))?;
    let too_large = || Error::from(TooLarge::Body { limit: bytes });
    // Also without this the body would be refused, but only after most of it has arrived.
    if announced_length(request).is_some_and(|length| length > bytes as u64) {
        return Err(too_large());
    }
    tokio::time::timeout(time, to_bytes_limited(BodyStream::new(payload), bytes))
        .await
        .map_err(|_| Error::Timeout { limit: time })?
        .map_err(|_| too_large())?
        .map_err(|_| Malformed::Incomplete.into())
}

/// A missing content type is accepted: whatever is no JSON will be told so.
fn check_content(request: &HttpRequest) -> Result<(), Error> {
    let accepted = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_ENCODING, "identity"),
    ];
    for (name, expected) in accepted {
        let Some(given) = request.headers().get(&name) else {
            continue;
        };
        let given = String::from_utf8_lossy(given.as_bytes());
        let essence = given.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(expected) {
            return Err(Error::UnsupportedMediaType {
                header: name.to_string(),
                given: quote(essence),
                expected,
            });
        }
    }
    Ok(())
}

fn announced_length(request: &HttpRequest) -> Option<u64> {
    header(request, CONTENT_LENGTH)?.parse().ok()
}

fn header(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_no_envelope_is_told_why() {
        let refused = |body: &str| {
            Envelope::parse(body.as_bytes())
                .err()
                .map(|error| error.line())
        };
        for (body, words) in [
            (
                "",
                "malformed: the body is not valid JSON: EOF while parsing a value at line 1 column 0",
            ),
            (
                "query=a",
                "malformed: the body is not valid JSON: expected value at line 1 column 1",
            ),
            (
                r#"{"input":{}"#,
                "malformed: the body is not valid JSON: EOF while parsing an object",
            ),
            (
                r#"{"input":{}} {}"#,
                "malformed: the body is not valid JSON: trailing characters",
            ),
            (
                r#"{"input":{},"input":{}}"#,
                "malformed: the body is not valid JSON: duplicate field `input`",
            ),
            ("[]", "malformed: the body is a list; it must be an object"),
            (
                "\"secret\"",
                "malformed: the body is a string; it must be an object",
            ),
            ("null", "malformed: the body is null; it must be an object"),
            (
                "{}",
                "malformed: input is missing; the body must be {\"input\": {...}}",
            ),
            (r#"{"query":"a"}"#, "malformed: input is missing"),
            (r#"{"input":null}"#, "malformed: input is missing"),
            (
                r#"{"input":"a"}"#,
                "malformed: input is a string; it must be an object",
            ),
            (
                r#"{"input":{},"webhook":"secret"}"#,
                "malformed: webhook is something else; it must be",
            ),
            (
                r#"{"input":{},"policy":{"ttl":-1}}"#,
                "malformed: policy.ttl is -1; it must be",
            ),
            (
                r#"{"input":[{}]}"#,
                "malformed: input is a list; it must be an object",
            ),
        ] {
            let error = refused(body).unwrap();
            assert!(error.starts_with(words), "{body}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn fields_beside_the_input_are_nobodys_business() {
        let body = br#" {"id":7,"webhook":null,"s3Config":{"ttl":[1]},"input":{"query":"a"}} "#;
        let Envelope(order) = Envelope::parse(body).unwrap();
        assert_eq!(order.input.get(), r#"{"query":"a"}"#);
        assert!(order.webhook.is_none());
    }
}
