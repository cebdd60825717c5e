//! The HTTP status of each error code, and the responses and their documentation that follow from it.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{
    Content, ContentBuilder, Object, Ref, RefOr, Response, ResponseBuilder, Type,
};
use utoipa::{IntoResponses, ToSchema};

use crate::service::{Code, Error, Invalid, Malformed, TooLarge, Unavailable};

/// The authentication scheme, which may precede the key.
pub const SCHEME: &str = "Bearer";

/// The body of every error response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// The error code, for programs.
    pub code: Code,
    /// The message, for people: it names the field, the limit, or what to do.
    #[schema(example = "queries[3] is blank")]
    pub message: String,
}

impl From<&Error> for ErrorBody {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
        }
    }
}

/// The HTTP status of a code.
pub const fn status(code: Code) -> StatusCode {
    match code {
        Code::Malformed => StatusCode::BAD_REQUEST,
        Code::Unauthorized => StatusCode::UNAUTHORIZED,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::Conflict => StatusCode::CONFLICT,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status(self.code())
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(duration) = self.retry_after() {
            response.insert_header((RETRY_AFTER, duration.as_secs()));
        }
        if let Self::MethodNotAllowed { allowed } = self {
            response.insert_header((ALLOW, allowed.join(", ")));
        }
        if let Self::Unauthorized = self {
            response.insert_header((WWW_AUTHENTICATE, SCHEME));
        }
        response.json(ErrorBody::from(self))
    }
}

/// Declares the errors of a kind of route, for the document; see [`documented`].
macro_rules! failures {
    ($($(#[$attribute:meta])* $name:ident: [$($code:ident),*])*) => {$(
        $(#[$attribute])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                references([$(Code::$code),*])
            }
        }
    )*};
}

failures! {
    /// The errors of a route that accepts a job.
    JobFailures: [Malformed, TooLarge, UnsupportedMediaType, Overloaded, Internal, Unavailable, Timeout]
    /// The error of a route with query parameters.
    MalformedFailure: [Malformed]
    /// The error of a route that depends on the status of the job.
    ConflictFailure: [Conflict]
    /// The error of a route that looks up a job.
    LookupFailures: [NotFound]
    /// The error of a probe.
    ProbeFailures: [Unavailable]
}

fn references(codes: impl IntoIterator<Item = Code>) -> BTreeMap<String, RefOr<Response>> {
    references_named(|code| code.to_string(), codes)
}

/// References to the responses of `codes` by their names in the document.
pub fn references_named(
    name: impl Fn(Code) -> String,
    codes: impl IntoIterator<Item = Code>,
) -> BTreeMap<String, RefOr<Response>> {
    codes
        .into_iter()
        .map(|code| {
            let reference = Ref::from_response_name(name(code));
            (status(code).as_str().to_owned(), RefOr::Ref(reference))
        })
        .collect()
}

/// The response of every code, under its name, for the components of the document.
pub fn documented() -> BTreeMap<String, RefOr<Response>> {
    let body = |error: &Error| serde_json::to_value(ErrorBody::from(error)).ok();
    documented_as(|code| code.to_string(), "ErrorBody", body)
}

/// The response of every code, under the name that `name` gives it, with a body of `schema`.
pub fn documented_as(
    name: impl Fn(Code) -> String,
    schema: &str,
    body: impl Fn(&Error) -> Option<Value>,
) -> BTreeMap<String, RefOr<Response>> {
    let response = |code| {
        let error = example(code);
        let body = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(schema)))
            .example(body(&error))
            .build();
        (name(code), describe(&error, body).into())
    };
    Code::ALL.into_iter().map(response).collect()
}

fn describe(error: &Error, body: Content) -> Response {
    let mut response = ResponseBuilder::new()
        .description(format!("`{}`: {error}", error.code()))
        .content("application/json", body);
    if error.retry_after().is_some() {
        let seconds = HeaderBuilder::new()
            .schema(Some(Object::with_type(Type::Integer)))
            .description(Some("Seconds after which the same request may succeed."));
        response = response.header(RETRY_AFTER.as_str(), seconds.build());
    }
    if let Error::MethodNotAllowed { .. } = error {
        let methods = HeaderBuilder::new()
            .schema(Some(Object::with_type(Type::String)))
            .description(Some("The methods that the address allows."));
        response = response.header(ALLOW.as_str(), methods.build());
    }
    if let Error::Unauthorized = error {
        let scheme = HeaderBuilder::new()
            .schema(Some(Object::with_type(Type::String)))
            .description(Some("The scheme of the key."));
        response = response.header(WWW_AUTHENTICATE.as_str(), scheme.build());
    }
    response.build()
}

/// An example error of each code, with the message that a user would read.
fn example(code: Code) -> Error {
    match code {
        Code::Malformed => Malformed::NoInput.into(),
        Code::Unauthorized => Error::Unauthorized,
        Code::NotFound => Error::NotFound,
        Code::MethodNotAllowed => Error::MethodNotAllowed {
            allowed: vec!["POST"],
        },
        Code::Conflict => Error::NotRetryable {
            status: "COMPLETED",
        },
        Code::TooLarge => TooLarge::Body { limit: 20_000_000 }.into(),
        Code::UnsupportedMediaType => Error::UnsupportedMediaType {
            header: "content-type".to_owned(),
            given: "\"text/plain\"".to_owned(),
            expected: "application/json",
        },
        Code::Invalid => Invalid::BlankMember {
            field: "queries",
            index: 3,
        }
        .into(),
        Code::Overloaded => Error::Overloaded {
            retry_after: std::time::Duration::from_secs(2),
        },
        Code::Internal => Error::internal("an example"),
        Code::Unavailable => Unavailable::Loading.into(),
        Code::Timeout => Error::Timeout {
            limit: std::time::Duration::from_secs(60),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_a_code_has_that_code() {
        for code in Code::ALL {
            assert_eq!(example(code).code(), code);
        }
    }

    #[test]
    fn no_two_codes_share_a_status() {
        let mut statuses = Code::ALL.map(status).to_vec();
        statuses.sort_unstable();
        statuses.dedup();
        assert_eq!(statuses.len(), Code::ALL.len());
    }
}
