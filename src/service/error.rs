//! The one public error: its variants are what a caller can do about it, its text is what the caller reads.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use super::{Code, Invalid, JsonKind};
use crate::engine;

/// When to ask again while the model loads.
const LOADING_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a request got no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The request is not what its route takes.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The key is missing or wrong.
    #[error("give the key as Authorization: Bearer <key>")]
    Unauthorized,
    /// There is nothing at this address.
    #[error("nothing is here; /docs lists what is")]
    NotFound,
    /// There is no such job, or none any more.
    #[error("there is no such job; the result of one that has ended is kept for a limited time")]
    UnknownJob,
    /// Another model is served.
    #[error("model is {given}; this endpoint serves {served}")]
    UnknownModel {
        /// Beginning of what was given, quoted.
        given: String,
        /// What is served.
        served: String,
    },
    /// There is something at this address, for other methods.
    #[error("this address takes {}", allowed.join(", "))]
    MethodNotAllowed {
        /// The methods it takes.
        allowed: Vec<&'static str>,
    },
    /// A job that cannot be tried again was to be.
    #[error("the job is {status}; only a job that is FAILED or TIMED_OUT can be tried again")]
    NotRetryable {
        /// Where it is, as it is written in JSON.
        status: &'static str,
    },
    /// Something is above its limit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The body is not plain JSON by its headers.
    #[error("{header} is {given}; it must be {expected}")]
    UnsupportedMediaType {
        /// The header.
        header: String,
        /// Its value, cut where it is long.
        given: String,
        /// What it must be.
        expected: &'static str,
    },
    /// The input asks for nothing that can be done.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Too many texts wait already.
    #[error("too many texts wait already; try again in {} s", retry_after.as_secs())]
    Overloaded {
        /// When there is likely to be room.
        retry_after: Duration,
    },
    /// A defect. The text says nothing of the cause, which is for the log alone.
    #[error("the server failed; its log says why")]
    Internal(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The server cannot answer now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The answer took too long.
    #[error("no answer within {} s", limit.as_secs())]
    Timeout {
        /// The longest time an answer may take.
        limit: Duration,
    },
}

/// Why a request is not what its route takes.
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
    /// A part of the request is not an object.
    #[error("{part} is {found}; it must be an object")]
    NotAnObject {
        /// Which part.
        part: &'static str,
        /// What it is.
        found: JsonKind,
    },
    /// The envelope holds no input.
    #[error("input is missing; the body must be {{\"input\": {{...}}}}")]
    NoInput,
    /// What stands beside the input, or in the query string, is not what it must be.
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
    #[error("the body cannot be read to its end")]
    Incomplete,
}

/// What is above its limit.
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
        /// What is read of a delivery, in bytes.
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
    /// The texts of one call, measured by the whole queue.
    #[error("{texts} texts are more than the queue can ever hold; its limit is {limit}")]
    Queue {
        /// Texts of the call.
        texts: usize,
        /// Room of the empty queue.
        limit: usize,
    },
    /// The answer.
    #[error("the result of {texts} texts is larger than {limit} bytes; {fitting} texts fit")]
    Result {
        /// Texts of the call.
        texts: usize,
        /// The largest result, in bytes of JSON.
        limit: usize,
        /// Texts whose result is within the limit.
        fitting: usize,
    },
}

/// Why the server cannot answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// It has just been started.
    #[error("the model is still loading")]
    Loading,
    /// It has been told to stop.
    #[error("the server is about to end")]
    Stopping,
}

impl Error {
    /// A defect and its cause.
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

    /// When the same request may succeed; nothing where waiting does not help.
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

    /// The error in one line, as a failed job shows it.
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

    /// Refuses a `part` that is not an object.
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
            engine::Error::TooLarge { limit, texts } => TooLarge::Queue { texts, limit }.into(),
            engine::Error::Stopped => Unavailable::Stopping.into(),
            engine::Error::Panicked { .. } | engine::Error::Model(_) => Self::internal(error),
        }
    }
}
