//! The error codes.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A stable error code for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "invalid")]
pub enum Code {
    /// The request is malformed: its body is not valid JSON, or not the expected object.
    Malformed,
    /// The key is missing or wrong.
    Unauthorized,
    /// There is nothing at this address.
    NotFound,
    /// This address exists, but not for this method.
    MethodNotAllowed,
    /// The status of the job does not allow the operation.
    Conflict,
    /// The body, the number of texts or the result exceeds its limit.
    TooLarge,
    /// The content type of the body is not JSON.
    UnsupportedMediaType,
    /// A field of the input is missing, of the wrong kind, blank, or contradicts another.
    Invalid,
    /// The queue is full.
    Overloaded,
    /// A defect of the server.
    Internal,
    /// The model is still loading, or the server is shutting down.
    Unavailable,
    /// The request timed out.
    Timeout,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 12] = [
        Self::Malformed,
        Self::Unauthorized,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::Overloaded,
        Self::Internal,
        Self::Unavailable,
        Self::Timeout,
    ];

    /// The code as it is written in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict => "conflict",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Invalid => "invalid",
            Self::Overloaded => "overloaded",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_the_same_in_json_and_in_text() {
        for code in Code::ALL {
            assert_eq!(
                serde_json::to_value(code).unwrap(),
                serde_json::Value::from(code.to_string())
            );
        }
    }
}
