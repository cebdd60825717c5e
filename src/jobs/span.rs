//! Durations as requests give them: in milliseconds.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::service::{JsonKind, Malformed, quote};

/// Seven days, in milliseconds: RunPod keeps no job longer.
pub const LONGEST: u64 = 7 * 24 * 60 * 60 * 1000;

/// A duration that a request may give, and its bounds.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Its name in errors.
    pub field: &'static str,
    /// The shortest, in milliseconds.
    pub shortest: u64,
    /// The longest, in milliseconds.
    pub longest: u64,
}

impl Span {
    /// Parses a duration from a query string.
    pub fn from_text(&self, text: &str) -> Result<Duration, Malformed> {
        self.parse(text).ok_or_else(|| self.refuse(quote(text)))
    }

    /// Parses a duration from JSON; `null` counts as absent.
    pub fn from_json(&self, value: &RawValue) -> Result<Option<Duration>, Malformed> {
        match JsonKind::of(value) {
            JsonKind::Null => Ok(None),
            JsonKind::Number => match self.parse(value.get()) {
                Some(span) => Ok(Some(span)),
                None => Err(self.refuse(value.get().to_owned())),
            },
            kind @ (JsonKind::Boolean | JsonKind::String | JsonKind::List | JsonKind::Object) => {
                Err(self.refuse(kind.to_string()))
            }
        }
    }

    /// JSON has no integers: 1000, 1000.0 and 1e3 are the same number.
    fn parse(&self, number: &str) -> Option<Duration> {
        let milliseconds: f64 = number.parse().ok()?;
        let is_within = (self.shortest as f64..=self.longest as f64).contains(&milliseconds);
        (is_within && milliseconds.fract() == 0.0)
            .then(|| Duration::from_millis(milliseconds as u64))
    }

    fn refuse(&self, given: String) -> Malformed {
        let Self {
            field,
            shortest,
            longest,
        } = *self;
        Malformed::Field {
            field,
            given,
            expected: format!("a whole number of milliseconds from {shortest} to {longest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span {
        field: "ttl",
        shortest: 10,
        longest: 100,
    };

    #[test]
    fn whole_milliseconds_within_the_bounds_are_a_span() {
        for (text, milliseconds) in [("10", 10), ("100", 100), ("50.0", 50), ("2e1", 20)] {
            let span = Duration::from_millis(milliseconds);
            assert_eq!(SPAN.from_text(text).unwrap(), span);
            let raw: &RawValue = serde_json::from_str(text).unwrap();
            assert_eq!(SPAN.from_json(raw).unwrap(), Some(span));
        }
        let null: &RawValue = serde_json::from_str("null").unwrap();
        assert_eq!(SPAN.from_json(null).unwrap(), None);
    }

    #[test]
    fn anything_else_is_refused_with_the_bounds_and_what_was_given() {
        for text in ["9", "101", "10.5", "-20", "1e999", "inf", "NaN", "", "ten"] {
            assert_eq!(
                SPAN.from_text(text).unwrap_err().to_string(),
                format!(
                    "ttl is {text:?}; it must be a whole number of milliseconds from 10 to 100"
                )
            );
        }
        for (json, given) in [("[10]", "a list"), ("\"10\"", "a string"), ("9", "9")] {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            let error = SPAN.from_json(raw).unwrap_err().to_string();
            assert!(error.starts_with(&format!("ttl is {given}; ")), "{error}");
        }
    }
}
