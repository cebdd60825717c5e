//! The service's error in OpenAI's shapes: as an HTTP body, and as the output of a job.

use serde::Serialize;
use utoipa::ToSchema;

use crate::service::{Code, Error, TooLarge};

/// The error body of OpenAI's routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenAiErrorBody)]
pub struct ErrorBody {
    /// What went wrong.
    error: Details,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenAiError)]
struct Details {
    /// For people: it names the field, the limit, or what to do.
    #[schema(example = "input[3] is blank")]
    message: String,
    /// OpenAI's word for the kind of error.
    #[serde(rename = "type")]
    #[schema(example = "invalid_request_error")]
    kind: &'static str,
    /// The field that is wrong, where it is one.
    #[schema(example = "input")]
    param: Option<&'static str>,
    /// What went wrong, for programs.
    #[schema(example = "invalid")]
    code: &'static str,
}

impl From<&Error> for ErrorBody {
    fn from(error: &Error) -> Self {
        Self {
            error: Details {
                message: error.to_string(),
                kind: kind(error.code()),
                param: param(error),
                code: code(error),
            },
        }
    }
}

fn code(error: &Error) -> &'static str {
    if matches!(error, Error::UnknownModel { .. }) {
        return "model_not_found";
    }
    error.code().as_str()
}

const fn kind(code: Code) -> &'static str {
    match code {
        Code::Malformed
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::Conflict
        | Code::TooLarge
        | Code::UnsupportedMediaType
        | Code::Invalid => "invalid_request_error",
        Code::Unauthorized => "authentication_error",
        Code::Overloaded => "rate_limit_error",
        Code::Internal | Code::Unavailable | Code::Timeout => "server_error",
    }
}

fn param(error: &Error) -> Option<&'static str> {
    if let Error::Invalid(invalid) = error {
        invalid.field()
    } else if let Error::TooLarge(TooLarge::Texts { field, .. }) = error {
        Some(field)
    } else {
        matches!(error, Error::UnknownModel { .. }).then_some("model")
    }
}

/// An error as the output of a completed job.
///
/// The shape is that of RunPod's own embedding worker (worker-infinity).
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = OpenAiJobError)]
pub struct JobError {
    /// Always `error`.
    #[schema(example = "error")]
    object: &'static str,
    /// For people: it names the field, the limit, or what to do.
    #[schema(example = "input[3] is blank")]
    message: String,
    /// `BadRequestError` or `NotFoundError`.
    #[serde(rename = "type")]
    #[schema(example = "BadRequestError")]
    kind: &'static str,
    /// The field that is wrong, where it is one.
    #[schema(example = "input")]
    param: Option<&'static str>,
    /// 400 or 404.
    #[schema(example = 400)]
    code: u16,
}

impl JobError {
    /// The output for an error that is the caller's own; nothing where the job itself has failed.
    pub(in crate::service) fn of(error: &Error) -> Option<Self> {
        let (kind, code) = match error.code() {
            Code::NotFound => ("NotFoundError", 404),
            Code::Malformed
            | Code::Invalid
            | Code::TooLarge
            | Code::MethodNotAllowed
            | Code::Conflict
            | Code::UnsupportedMediaType => ("BadRequestError", 400),
            Code::Unauthorized
            | Code::Overloaded
            | Code::Internal
            | Code::Unavailable
            | Code::Timeout => return None,
        };
        Some(Self {
            object: "error",
            message: error.to_string(),
            kind,
            param: param(error),
            code,
        })
    }
}
