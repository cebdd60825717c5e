//! Webhooks: when a job has ended, its report is posted to the URL that its caller gave.
//!
//! Owns the URL, where it may lead and the deliveries. A URL is a secret: neither it nor its host is ever logged, or repeated in
//! an error.

mod courier;
mod destinations;
mod public_addresses;

use std::fmt;

use reqwest::Url;
use serde_json::value::RawValue;

pub use courier::Courier;

use crate::service::{JsonKind, Malformed};

/// Longest URL, in bytes: it is kept as long as its job.
const LONGEST: usize = 2048;

/// A URL to which the report of a job is posted.
#[derive(Clone)]
pub struct Webhook(Url);

impl fmt::Debug for Webhook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Webhook(..)")
    }
}

impl Webhook {
    /// Parses a URL; `null` and the empty string count as absent.
    pub fn parse(value: &RawValue) -> Result<Option<Self>, Malformed> {
        match JsonKind::of(value) {
            JsonKind::Null => return Ok(None),
            JsonKind::String => {}
            kind @ (JsonKind::Boolean | JsonKind::Number | JsonKind::List | JsonKind::Object) => {
                return Err(refuse(kind));
            }
        }
        let text: String = serde_json::from_str(value.get()).map_err(Malformed::json("webhook"))?;
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > LONGEST {
            return Err(refuse(format_args!("{} bytes long", text.len())));
        }
        let is_web = |url: &Url| ["http", "https"].contains(&url.scheme());
        match Url::parse(&text).ok().filter(is_web) {
            Some(url) if holds_credentials(&url) => Err(refuse("a URL with credentials")),
            Some(url) => Ok(Some(Self(url))),
            None => Err(refuse("something else")),
        }
    }

    /// Bytes that it keeps in memory: normalized it may be longer than it was given.
    pub(super) fn bytes(&self) -> usize {
        self.0.as_str().len()
    }
}

fn holds_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The error for a webhook that is `given`, which must not show the URL.
fn refuse(given: impl fmt::Display) -> Malformed {
    Malformed::Field {
        field: "webhook",
        given: given.to_string(),
        expected: format!(
            "an absolute http or https URL of at most {LONGEST} bytes, without credentials, to a public host or one of \
             jobs.webhook_hosts"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<bool, String> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        Webhook::parse(raw)
            .map(|webhook| webhook.is_some())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_of_the_web_is_taken_and_none_is_none() {
        for json in [r#""http://127.0.0.1:1/a?b""#, r#""https://example.com""#] {
            assert_eq!(parse(json), Ok(true), "{json}");
        }
        for json in ["null", r#""""#] {
            assert_eq!(parse(json), Ok(false), "{json}");
        }
    }

    #[test]
    fn another_address_is_refused_without_being_repeated() {
        for (json, given) in [
            (r#""file:///etc/secret""#, "something else"),
            (r#""secret""#, "something else"),
            (r#""//secret/a""#, "something else"),
            (r#""http://secret@example.com""#, "a URL with credentials"),
            (r#""https://:secret@example.com""#, "a URL with credentials"),
            (r#""http://secret:@example.com""#, "a URL with credentials"),
            ("7", "a number"),
            (r#"["http://secret"]"#, "a list"),
        ] {
            let error = parse(json).unwrap_err();
            assert_eq!(
                error,
                format!(
                    "webhook is {given}; it must be an absolute http or https URL of at most 2048 bytes, without \
                     credentials, to a public host or one of jobs.webhook_hosts"
                )
            );
        }
    }

    #[test]
    fn an_address_above_the_limit_is_refused_with_its_length() {
        let of = |length: usize| format!("\"{:a<length$}\"", "http://secret/");
        assert_eq!(parse(&of(LONGEST)), Ok(true));
        let error = parse(&of(LONGEST + 1)).unwrap_err();
        assert!(
            error.starts_with("webhook is 2049 bytes long; it must be"),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn an_address_is_not_shown() {
        let raw: &RawValue = serde_json::from_str(r#""http://secret""#).unwrap();
        let webhook = Webhook::parse(raw).unwrap();
        assert!(!format!("{webhook:?}").contains("secret"));
    }
}
