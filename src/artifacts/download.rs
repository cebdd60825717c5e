//! Downloads from the model hub.
//!
//! Owns the HTTP client, the token and the attempts. Invariant: the token goes to the hub's own address; the client leaves it out when
//! a response redirects to another host.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{StatusCode, Url};

use super::progress::Progress;
use super::retry::{Attempts, IfUnreachable, RetryPolicy};
use super::transfer::{Failure, Transfer};
use super::{Error, Fault, RepositoryError, error, pins};
use crate::config::Secret;

const USER_AGENT: &str = concat!("runpod-query/", env!("CARGO_PKG_VERSION"));
/// Largest file that is read into memory. The hub stores files of more than 10 MB outside Git, with their hashes.
pub(super) const SMALL_FILE_BYTES: u64 = 32 << 20;

/// A connection to the hub.
pub(super) struct Hub<'a> {
    client: Client,
    authorization: Option<HeaderValue>,
    retry: &'a RetryPolicy,
    if_unreachable: IfUnreachable,
}

/// A file to download from the hub.
pub(super) struct Wanted<'a> {
    /// Its name in messages.
    pub(super) name: String,
    pub(super) url: Url,
    pub(super) pin: &'a pins::File,
}

impl<'a> Hub<'a> {
    /// Creates the client without connecting.
    pub(super) fn new(
        address: &Url,
        token: Option<&Secret>,
        retry: &'a RetryPolicy,
        if_unreachable: IfUnreachable,
    ) -> Result<Self, Error> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(retry.connect_timeout)
            // In a blocking client this is the longest time without a byte, not that of the whole transfer.
            .timeout(retry.read_timeout)
            .build()
            .map_err(|source| Error::Client {
                hub: error::without_secrets(address),
                source,
            })?;
        Ok(Self {
            client,
            authorization: token.map(authorization).transpose()?,
            retry,
            if_unreachable,
        })
    }

    /// Reads a small document, which no pin describes.
    pub(super) fn read(&self, name: &str, url: &Url) -> Result<Vec<u8>, Error> {
        let mut attempts = Attempts::new(self.retry, self.if_unreachable);
        loop {
            let fault = match self.read_once(url) {
                Ok(bytes) => return Ok(bytes),
                Err(fault) => fault,
            };
            let Some(pause) = attempts.after(&fault, 0) else {
                return Err(Error::Download {
                    file: name.to_owned(),
                    url: error::without_secrets(url),
                    attempts: attempts.made(),
                    source: fault,
                });
            };
            log::warn!(
                "{name}: {}; next attempt in {:.1} s",
                error::in_one_line(&fault),
                pause.as_secs_f64(),
            );
            std::thread::sleep(pause);
        }
    }

    fn read_once(&self, url: &Url) -> Result<Vec<u8>, Fault> {
        let response = send(self.get(url))?;
        if response.status() != StatusCode::OK {
            return Err(refused(&response));
        }
        let announced = response.content_length();
        let mut bytes = Vec::new();
        let received = response.take(SMALL_FILE_BYTES + 1).read_to_end(&mut bytes);
        let got = bytes.len() as u64;
        match received {
            _ if got > SMALL_FILE_BYTES => Err(Fault::TooLarge {
                limit: SMALL_FILE_BYTES,
            }),
            Ok(_) => Ok(bytes),
            Err(source) => Err(Fault::Interrupted {
                got,
                expected: announced.unwrap_or(got),
                source: Some(source),
            }),
        }
    }

    /// A request with the token, if there is one.
    pub(super) fn get(&self, url: &Url) -> RequestBuilder {
        let request = self.client.get(url.clone());
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization.clone()),
            None => request,
        }
    }

    /// Downloads a file, resuming where an earlier attempt or an earlier run stopped.
    pub(super) fn fetch(&self, wanted: &Wanted<'_>, target: &Path) -> Result<(), Error> {
        let mut transfer = Transfer::open(self, wanted, target)?;
        let mut attempts = Attempts::new(self.retry, self.if_unreachable);
        let progress = Progress::of_bytes(&wanted.name, wanted.pin.bytes, transfer.length());
        loop {
            let before = transfer.length();
            let fault = match transfer.attempt(&progress) {
                Ok(()) => {
                    progress.finish(wanted.pin.bytes);
                    return Ok(());
                }
                Err(Failure::Local(error)) => return Err(error),
                Err(Failure::Remote(fault)) => fault,
            };
            let gained = transfer.length().saturating_sub(before);
            transfer.discard_after(&fault)?;
            let Some(pause) = attempts.after(&fault, gained) else {
                return Err(Error::Download {
                    file: wanted.name.clone(),
                    url: error::without_secrets(&wanted.url),
                    attempts: attempts.made(),
                    source: fault,
                });
            };
            progress.warn(&format!(
                "{}: {}; next attempt from byte {} in {:.1} s",
                wanted.name,
                error::in_one_line(&fault),
                transfer.length(),
                pause.as_secs_f64(),
            ));
            std::thread::sleep(pause);
        }
    }
}

/// The header of a token, which no log shows.
fn authorization(token: &Secret) -> Result<HeaderValue, RepositoryError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose().trim()))
        .map_err(|_| RepositoryError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sends a request; an error says whether the server was reached.
pub(super) fn send(request: RequestBuilder) -> Result<Response, Fault> {
    request.send().map_err(|error| {
        let error = error.without_url();
        if error.is_connect() {
            Fault::Unreachable(error)
        } else {
            Fault::Unanswered(error)
        }
    })
}

/// A response that is an error.
pub(super) fn refused(response: &Response) -> Fault {
    Fault::Refused {
        status: response.status(),
        retry_after: retry_after(response),
    }
}

/// Only seconds are understood; for a date the usual backoff applies.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}
