//! The names of what can go wrong.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, in one word that programs can rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "invalid")]
pub enum Code {
    /// The request is not what its route takes: no JSON, or not the object it must be.
    Malformed,
    /// The key is missing or wrong.
    Unauthorized,
    /// There is nothing at this address.
    NotFound,
    /// There is something at this address, for other methods.
    MethodNotAllowed,
    /// The job is not where it must be for what is asked.
    Conflict,
    /// The body, the number of texts or the result is above its limit.
    TooLarge,
    /// The body is not JSON by its content type.
    UnsupportedMediaType,
    /// A field of the input is missing, of the wrong kind, blank, or contradicts another.
    Invalid,
    /// Too many texts wait already.
    Overloaded,
    /// A defect of the server.
    Internal,
    /// The model is still loading, or the server is about to end.
    Unavailable,
    /// The answer took longer than a request may take.
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
