//! Requests to RunPod as RunPod's own SDK sends them, and what is read of the answers.
//!
//! A redirect is followed only if it keeps the method and the body (307, 308). The SDK follows the others too: they turn
//! the POST into a GET, and the SDK takes its answer, perhaps a login page, for an acknowledgement.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Response, StatusCode};

use super::Error;
use super::addresses::{Addresses, encode};
use super::protocol_durations::ProtocolDurations;
use crate::config::Secret;
use crate::jobs::JobId;

/// The SDK's content type of a result, although it is JSON; whether RunPod accepts another is not known.
const RESULT_TYPE: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON_TYPE: HeaderValue = HeaderValue::from_static("application/json");
/// A header literally of this name goes with every result.
const CHARSET: HeaderName = HeaderName::from_static("charset");
const UTF_8: HeaderValue = HeaderValue::from_static("utf-8");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
/// Longest time to open a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: shorter than servers usually keep theirs.
const IDLE: Duration = Duration::from_secs(20);
/// Longest chain of redirects.
const REDIRECTS: usize = 5;
/// Bytes read of an answer whose content does not matter.
const IGNORED_BYTES: usize = 64 * 1024;

/// An answer of RunPod.
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Its content type.
    pub content_type: String,
    /// The body, or its beginning.
    pub body: Bytes,
    /// Where the body was cut, in bytes, because it is larger than it may be.
    pub cut_at: Option<usize>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The connection could not be opened, or broke.
    #[error("the connection failed")]
    Transport(#[source] reqwest::Error),
    /// The answer did not come in time.
    #[error("no answer in time")]
    TimedOut,
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() && !error.is_connect() {
            Self::TimedOut
        } else {
            // The address is a secret, and the error would show it.
            Self::Transport(error.without_url())
        }
    }
}

/// A connection to RunPod with the worker's credential.
pub struct Connection {
    client: Client,
    retry_after: (Duration, Duration),
}

impl Connection {
    /// A connection that is not open yet.
    pub fn new(key: Option<&Secret>, durations: &ProtocolDurations) -> Result<Self, Error> {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let mut key = HeaderValue::from_str(key.expose().trim()).map_err(Error::Key)?;
            key.set_sensitive(true);
            headers.insert(AUTHORIZATION, key);
        }
        let client = Client::builder()
            .http1_only()
            .no_proxy()
            .referer(false)
            .redirect(Policy::custom(redirected))
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(Error::Client)?;
        Ok(Self {
            client,
            retry_after: durations.retry_after,
        })
    }

    /// Sends a GET and reads at most `limit` bytes of the answer, all within `time`.
    pub async fn get(&self, address: &str, limit: usize, time: Duration) -> Result<Reply, Failure> {
        let request = self.client.get(address).header(CONTENT_TYPE, JSON_TYPE);
        let response = request.timeout(time).send().await?;
        let mut reply = self.head(&response);
        (reply.body, reply.cut_at) = body(response, limit).await?;
        Ok(reply)
    }

    /// Sends a GET whose answer does not matter.
    pub async fn tell(&self, address: &str, time: Duration) -> Result<u16, Failure> {
        let response = self.client.get(address).timeout(time).send().await?;
        let status = response.status().as_u16();
        drain(response);
        Ok(status)
    }

    /// Posts a job's result; only the status of the answer matters.
    pub async fn post(
        &self,
        addresses: &Addresses,
        id: &JobId,
        result: Bytes,
        time: Duration,
    ) -> Result<Reply, Failure> {
        let request = self
            .client
            .post(addresses.post(id))
            .header(CONTENT_TYPE, RESULT_TYPE)
            .header(CHARSET, UTF_8)
            .header(REQUEST_ID, header_value(id));
        let response = request.body(result).timeout(time).send().await?;
        let reply = self.head(&response);
        drain(response);
        Ok(reply)
    }

    fn head(&self, response: &Response) -> Reply {
        let header = |name| response.headers().get(name)?.to_str().ok();
        let (shortest, longest) = self.retry_after;
        let seconds = header(RETRY_AFTER).and_then(|value| value.trim().parse::<u32>().ok());
        Reply {
            status: response.status().as_u16(),
            // Tests scale the seconds of a `Retry-After` as they scale its bounds.
            retry_after: seconds
                .map(|seconds| shortest.saturating_mul(seconds).clamp(shortest, longest)),
            content_type: header(CONTENT_TYPE).unwrap_or_default().to_owned(),
            body: Bytes::new(),
            cut_at: None,
        }
    }
}

/// A redirect that is not followed is the answer.
fn redirected(attempt: Attempt<'_>) -> Action {
    let repeats = [
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    // The request itself is the first of the previous ones.
    if repeats.contains(&attempt.status()) && attempt.previous().len() <= REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

fn header_value(id: &JobId) -> HeaderValue {
    HeaderValue::from_str(id.as_str())
        .or_else(|_| HeaderValue::from_str(&encode(id.as_str())))
        .unwrap_or(HeaderValue::from_static(""))
}

/// The bytes, and where they are cut off, if they are.
async fn body(mut response: Response, limit: usize) -> Result<(Bytes, Option<usize>), Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        let room = limit - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body.freeze(), Some(limit)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), None))
}

/// Reads a body to its end, so that the connection can be used again; nobody waits for it.
fn drain(response: Response) {
    tokio::spawn(async move {
        // A body that cannot be read only ends the connection.
        let _ = body(response, IGNORED_BYTES).await;
    });
}
