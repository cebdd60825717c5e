//! How long a job may take, as its caller has chosen.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::span::{LONGEST, Span};
use crate::service::{JsonKind, Malformed};

/// The name of the policy in errors.
const PART: &str = "policy";

const EXECUTION_TIMEOUT: Span = Span {
    field: "policy.executionTimeout",
    shortest: 1,
    longest: LONGEST,
};
const TTL: Span = Span {
    field: "policy.ttl",
    shortest: 1,
    longest: LONGEST,
};

/// How long a job may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// From its start to its end.
    pub execution_timeout: Duration,
    /// From its submission to its end.
    pub ttl: Duration,
}

impl Policy {
    /// No limits, for jobs whose limits somebody else enforces.
    pub const UNLIMITED: Self = Self {
        execution_timeout: Duration::MAX,
        ttl: Duration::MAX,
    };
}

/// RunPod's defaults.
impl Default for Policy {
    fn default() -> Self {
        Self {
            execution_timeout: Duration::from_millis(600_000),
            ttl: Duration::from_millis(86_400_000),
        }
    }
}

/// How long a job may take. Other fields are ignored.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Policy)]
pub struct PolicyFields {
    /// Milliseconds from its start to its end; then it is `TIMED_OUT`.
    #[schema(minimum = 1, maximum = 604_800_000, example = 600_000)]
    pub execution_timeout: Option<u64>,
    /// Milliseconds from its submission to its end; then it is `TIMED_OUT`.
    #[schema(minimum = 1, maximum = 604_800_000, example = 86_400_000)]
    pub ttl: Option<u64>,
}

impl Policy {
    /// Parses a policy; `null` counts as absent, and fields that are unknown here are ignored.
    pub fn parse(value: &RawValue) -> Result<Self, Malformed> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Fields<'a> {
            #[serde(borrow)]
            execution_timeout: Option<&'a RawValue>,
            #[serde(borrow)]
            ttl: Option<&'a RawValue>,
        }
        if JsonKind::of(value) == JsonKind::Null {
            return Ok(Self::default());
        }
        Malformed::unless_object(PART, value)?;
        let fields: Fields<'_> =
            serde_json::from_str(value.get()).map_err(Malformed::json(PART))?;
        let given = |span: Span, field: Option<&RawValue>| {
            field.map_or(Ok(None), |value| span.from_json(value))
        };
        let default = Self::default();
        Ok(Self {
            execution_timeout: given(EXECUTION_TIMEOUT, fields.execution_timeout)?
                .unwrap_or(default.execution_timeout),
            ttl: given(TTL, fields.ttl)?.unwrap_or(default.ttl),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Policy, String> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        Policy::parse(raw).map_err(|error| error.to_string())
    }

    #[test]
    fn missing_policy_fields_get_runpods_defaults() {
        for json in ["null", "{}", r#"{"lowPriority":true,"ttl":null}"#] {
            assert_eq!(parse(json).unwrap(), Policy::default(), "{json}");
        }
        let given = parse(r#"{"executionTimeout":5000,"ttl":10000}"#).unwrap();
        assert_eq!(given.execution_timeout, Duration::from_secs(5));
        assert_eq!(given.ttl, Duration::from_secs(10));
    }

    #[test]
    fn a_policy_that_cannot_be_kept_is_refused_by_its_field() {
        for (json, words) in [
            ("[]", "policy is a list; it must be an object"),
            (r#"{"ttl":0}"#, "policy.ttl is 0; it must be"),
            (
                r#"{"executionTimeout":"5000"}"#,
                "policy.executionTimeout is a string; it must be",
            ),
            (r#"{"ttl":1,"ttl":2}"#, "duplicate field `ttl`"),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn the_document_gives_the_bounds_that_hold() {
        let schema =
            serde_json::to_value(<PolicyFields as utoipa::PartialSchema>::schema()).unwrap();
        for (field, span) in [("executionTimeout", EXECUTION_TIMEOUT), ("ttl", TTL)] {
            let field = &schema["properties"][field];
            assert_eq!(field["minimum"], span.shortest);
            assert_eq!(field["maximum"], span.longest);
        }
    }
}
