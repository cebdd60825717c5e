//! Webhooks: when a job has ended, its report is posted to the URL that its caller gave.
//!
//! A URL is a secret: it is never logged. The report is read from the table at every attempt, so that a server that does
//! not answer keeps no result in memory longer than the table does.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use super::report::Report;
use crate::jobs::JobId;
use crate::service::{JsonKind, Malformed, with_causes};

/// Attempts in all, as RunPod makes them.
const ATTEMPTS: u32 = 3;
/// Longest time for one attempt, as in RunPod's own development server.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest URL, in bytes: it is kept as long as its job.
const LONGEST: usize = 2048;
/// Concurrent attempts: each holds a copy of a result.
const CONCURRENT: usize = 8;

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
        let refuse = |given: String| Malformed::Field {
            field: "webhook",
            given,
            expected: format!("an absolute http or https URL of at most {LONGEST} bytes"),
        };
        match JsonKind::of(value) {
            JsonKind::Null => return Ok(None),
            JsonKind::String => {}
            kind @ (JsonKind::Boolean | JsonKind::Number | JsonKind::List | JsonKind::Object) => {
                return Err(refuse(kind.to_string()));
            }
        }
        let text: String = serde_json::from_str(value.get()).map_err(Malformed::json("webhook"))?;
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > LONGEST {
            return Err(refuse(format!("{} bytes long", text.len())));
        }
        let is_web = |url: &Url| ["http", "https"].contains(&url.scheme());
        match Url::parse(&text).ok().filter(is_web) {
            Some(url) => Ok(Some(Self(url))),
            None => Err(refuse("something else".to_owned())),
        }
    }

    /// Bytes that it keeps in memory: normalized it may be longer than it was given.
    pub(super) fn bytes(&self) -> usize {
        self.0.as_str().len()
    }
}

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the report cannot be written")]
    Report(#[from] serde_json::Error),
    #[error("the request failed")]
    Request(#[source] reqwest::Error),
    #[error("the answer is {0}")]
    Answer(StatusCode),
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Self::Request(error.without_url())
    }
}

/// Delivers reports.
pub(super) struct Courier {
    /// Created for the first delivery, because that is slow and most servers never need it.
    client: OnceLock<Client>,
    pause: Duration,
    places: Semaphore,
}

impl Courier {
    /// A courier that waits for `pause` after a failed attempt.
    pub fn new(pause: Duration) -> Self {
        Self {
            client: OnceLock::new(),
            pause,
            places: Semaphore::new(CONCURRENT),
        }
    }

    /// Posts the report that `notice` gives to its webhook, until it is acknowledged or the attempts are used up; nothing
    /// when the job has been forgotten meanwhile.
    pub async fn deliver(&self, id: &JobId, notice: impl Fn() -> Option<(Webhook, Report)>) {
        for number in 1..=ATTEMPTS {
            if number > 1 {
                tokio::time::sleep(self.pause).await;
            }
            // The semaphore is never closed.
            let _place = self.places.acquire().await;
            let Some((webhook, report)) = notice() else {
                return log::warn!(job_id = id.as_str(); "webhook attempt={number}: the job is forgotten");
            };
            match self.post(webhook, &report).await {
                Ok(()) => {
                    return log::info!(job_id = id.as_str(); "webhook attempt={number} delivered");
                }
                Err(error) => log::warn!(
                    job_id = id.as_str();
                    "webhook attempt={number} of {ATTEMPTS} failed: {}",
                    with_causes(&error)
                ),
            }
        }
    }

    async fn post(&self, Webhook(url): Webhook, report: &Report) -> Result<(), Error> {
        let body = serde_json::to_vec(report)?;
        let request = self.client()?.post(url).body(body);
        let response = request
            .header(CONTENT_TYPE, "application/json")
            .send()
            .await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(Error::Answer(status)),
        }
    }

    /// A redirect is not an acknowledgement, and following it would turn the POST into a GET.
    fn client(&self) -> Result<&Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        Ok(self.client.get_or_init(|| client))
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
            ("7", "a number"),
            (r#"["http://secret"]"#, "a list"),
        ] {
            let error = parse(json).unwrap_err();
            assert_eq!(
                error,
                format!(
                    "webhook is {given}; it must be an absolute http or https URL of at most 2048 bytes"
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
