//! The envelope of a job: `{"input": {...}}`, its policy and its webhook.

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{FutureExt, LocalBoxFuture};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::webhook::Webhook;
use crate::http::body::{self, PART};
use crate::jobs::{Policy, PolicyFields, Submission};
use crate::service::{Error, INPUT, Input, Malformed, Request, Service};

/// The envelope of a job.
///
/// Beside these fields `webhook` may give an `http` or `https` URL of at most 2048 bytes, without credentials and to a public
/// host, to which the job's report is posted when it has ended.
#[derive(Serialize, ToSchema)]
pub struct JobRequest {
    /// What is asked for.
    pub input: Input,
    /// How long the job may take.
    #[schema(example = json!(null))]
    pub policy: Option<PolicyFields>,
}

/// An envelope whose input is an object. Unknown fields are ignored.
pub struct Envelope {
    /// The request and its limits.
    pub submission: Submission,
    /// Where the job's report is posted.
    pub webhook: Option<Webhook>,
}

impl FromRequest for Envelope {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        async move {
            let service = request
                .app_data::<Data<Service>>()
                .ok_or_else(|| Error::internal("the service is not installed"))?;
            let texts = service.limits().texts;
            let parse = move |body: &[u8]| Self::parse(body, texts);
            Ok(body::read(&request, payload, parse).await??)
        }
        .boxed_local()
    }
}

impl Envelope {
    /// Parses a body; a list of its input may hold `texts` texts.
    pub fn parse(body: &[u8], texts: usize) -> Result<Self, Malformed> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            input: Option<&'a RawValue>,
            #[serde(borrow)]
            webhook: Option<&'a RawValue>,
            #[serde(borrow)]
            policy: Option<&'a RawValue>,
        }
        let body = body::json(body)?;
        Malformed::unless_object(PART, body)?;
        let fields: Fields<'_> = serde_json::from_str(body.get()).map_err(Malformed::json(PART))?;
        let input = fields.input.ok_or(Malformed::NoInput)?;
        Malformed::unless_object(INPUT, input)?;
        let policy = fields.policy.map_or(Ok(Policy::default()), Policy::parse)?;
        let webhook = fields.webhook.map_or(Ok(None), Webhook::parse)?;
        let request = Request::parse(input, texts);
        Ok(Self {
            submission: Submission { request, policy },
            webhook,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_not_an_envelope_gets_an_error_that_says_why() {
        let refused = |body: &str| {
            Envelope::parse(body.as_bytes(), 8)
                .err()
                .map(|error| Error::from(error).line())
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
    fn unknown_fields_beside_the_input_are_ignored() {
        let body = br#" {"id":7,"webhook":null,"s3Config":{"ttl":[1]},"input":{"query":"a"}} "#;
        let envelope = Envelope::parse(body, 8).unwrap();
        let request = envelope.submission.request.unwrap();
        assert!(matches!(request, Request::Query(query) if query.texts[..] == ["a"]));
        assert!(envelope.webhook.is_none());
    }
}
