//! The error that callers see. Its variants are grouped by what the caller can do about it; its text is the message.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::{Code, Invalid, JsonKind};
use crate::engine;

/// When to retry while the model loads.
pub(super) const LOADING_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a request failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The request is malformed.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The key is missing or wrong.
    #[error("give the key as Authorization: Bearer <key>")]
    Unauthorized,
    /// There is nothing at this address.
    #[error("nothing is here; /docs lists what is")]
    NotFound,
    /// No such job exists, or its result has expired.
    #[error("no such job exists; the result of a finished job is kept for a limited time")]
    UnknownJob,
    /// The request names a model other than the one served.
    #[error("model is {given}; this endpoint serves {served}")]
    UnknownModel {
        /// The beginning of the given name, quoted.
        given: String,
        /// The name of the model served.
        served: String,
    },
    /// This address exists, but not for this method.
    #[error("this address allows {}", allowed.join(", "))]
    MethodNotAllowed {
        /// The methods it allows.
        allowed: Vec<&'static str>,
    },
    /// A retry was requested for a job that cannot be retried.
    #[error("the job is {status}; only a job that is FAILED or TIMED_OUT can be retried")]
    NotRetryable {
        /// The status of the job, as it is written in JSON.
        status: &'static str,
    },
    /// The request or its result exceeds a limit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The headers say that the body is not plain JSON.
    #[error("{header} is {given}; it must be {expected}")]
    UnsupportedMediaType {
        /// The header.
        header: String,
        /// Its value, truncated if it is long.
        given: String,
        /// What it must be.
        expected: &'static str,
    },
    /// The input is invalid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The queue is full.
    #[error("too many texts wait already; try again in {} s", retry_after.as_secs())]
    Overloaded {
        /// When there is likely to be room.
        retry_after: Duration,
    },
    /// A defect of the server. The message does not reveal the cause, which is only logged.
    #[error("the server failed; its log says why")]
    Internal(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The server cannot answer now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The request timed out.
    #[error("no answer within {} s", limit.as_secs())]
    Timeout {
        /// The time limit.
        limit: Duration,
    },
}

/// Why a request is malformed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Malformed {
    /// A part of the request is not JSON.
    #[error("{part} is not valid JSON: {reason}")]
    Json {
        /// Which part.
        part: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// A part of the request is not UTF-8, as its first bytes say.
    #[error("{part} is UTF-16; it must be UTF-8")]
    Utf16 {
        /// Which part.
        part: &'static str,
    },
    /// A part of the request is not an object.
    #[error("{part} is {found}; it must be an object")]
    NotAnObject {
        /// Which part.
        part: &'static str,
        /// What it is.
        found: JsonKind,
    },
    /// The request object has no input.
    #[error("input is missing; the body must be {{\"input\": {{...}}}}")]
    NoInput,
    /// A field beside the input, or in the query string, has an invalid value.
    #[error("{field} is {given}; it must be {expected}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it is.
        given: String,
        /// What it must be.
        expected: String,
    },
    /// The body ended early.
    #[error("the body is incomplete")]
    Incomplete,
}

/// Which limit is exceeded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TooLarge {
    /// The body of a request.
    #[error("the body is larger than {limit} bytes")]
    Body {
        /// The largest body, in bytes.
        limit: usize,
    },
    /// A job, or several that were delivered together.
    #[error("the delivery of the job is larger than {limit} bytes")]
    Delivery {
        /// The largest delivery, in bytes.
        limit: usize,
    },
    /// The texts of one call.
    #[error("{field} holds {texts} texts; the limit is {limit}")]
    Texts {
        /// The list.
        field: &'static str,
        /// Its length.
        texts: usize,
        /// The longest list.
        limit: usize,
    },
    /// A text, or one word of it, that the model's tokenizer cannot divide.
    #[error(
        "a text has more than {limit} bytes that the model's tokenizer can only split as a whole"
    )]
    Undivided {
        /// Most bytes that are split as a whole.
        limit: usize,
    },
    /// The answer.
    #[error(
        "the result of {texts} texts takes about {bytes} bytes; the limit is {limit}; {fitting} texts fit, and fewer outputs or base64 take less"
    )]
    Result {
        /// Texts of the call.
        texts: usize,
        /// Bytes of JSON, estimated unless it was computed.
        bytes: usize,
        /// The largest result, in bytes of JSON.
        limit: usize,
        /// Texts whose result is within the limit.
        fitting: usize,
    },
}

/// Why the server cannot answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The model is still loading.
    #[error("the model is still loading")]
    Loading,
    /// The model will never be loaded.
    #[error("the model cannot be loaded")]
    NotLoaded,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Stopping,
}

impl Error {
    /// A defect of the server, with its cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into().into())
    }

    /// The error's name.
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed(_) => Code::Malformed,
            Self::Unauthorized => Code::Unauthorized,
            Self::NotFound | Self::UnknownJob | Self::UnknownModel { .. } => Code::NotFound,
            Self::MethodNotAllowed { .. } => Code::MethodNotAllowed,
            Self::NotRetryable { .. } => Code::Conflict,
            Self::TooLarge(_) => Code::TooLarge,
            Self::UnsupportedMediaType { .. } => Code::UnsupportedMediaType,
            Self::Invalid(_) => Code::Invalid,
            Self::Overloaded { .. } => Code::Overloaded,
            Self::Internal(_) => Code::Internal,
            Self::Unavailable(_) => Code::Unavailable,
            Self::Timeout { .. } => Code::Timeout,
        }
    }

    /// When to retry the request; `None` if waiting does not help.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after } => Some(*retry_after),
            Self::Unavailable(_) => Some(LOADING_RETRY_AFTER),
            Self::Malformed(_)
            | Self::Unauthorized
            | Self::NotFound
            | Self::UnknownJob
            | Self::UnknownModel { .. }
            | Self::MethodNotAllowed { .. }
            | Self::NotRetryable { .. }
            | Self::TooLarge(_)
            | Self::UnsupportedMediaType { .. }
            | Self::Invalid(_)
            | Self::Internal(_)
            | Self::Timeout { .. } => None,
        }
    }

    /// The error in one line, as a failed job reports it.
    pub fn line(&self) -> String {
        format!("{}: {self}", self.code())
    }
}

impl Malformed {
    /// The error of a `part` that is not JSON.
    pub fn json(part: &'static str) -> impl Fn(serde_json::Error) -> Self {
        move |reason| Self::Json {
            part,
            reason: reason.to_string(),
        }
    }

    /// Rejects a `part` that is not an object.
    pub fn unless_object(part: &'static str, value: &RawValue) -> Result<(), Self> {
        match JsonKind::of(value) {
            JsonKind::Object => Ok(()),
            found @ (JsonKind::Null
            | JsonKind::Boolean
            | JsonKind::Number
            | JsonKind::String
            | JsonKind::List) => Err(Self::NotAnObject { part, found }),
        }
    }
}

/// An error and all its causes in one line, for the log.
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::Overloaded { retry_after } => Self::Overloaded { retry_after },
            engine::Error::Stopped => Unavailable::Stopping.into(),
            engine::Error::Model(source) => {
                if let model::Error::Undivided { limit } = *source {
                    return TooLarge::Undivided { limit }.into();
                }
                Self::internal(engine::Error::Model(source))
            }
            // Whoever sets the limit knows how large the result is, and says so.
            engine::Error::TooManyTokens { .. } | engine::Error::Panicked { .. } => {
                Self::internal(error)
            }
        }
    }
}
