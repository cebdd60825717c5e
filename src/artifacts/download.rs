//! Downloads from the model hub.
//!
//! Owns the HTTP client and the interpretation of the hub's responses. Invariants: bytes that are already there are
//! downloaded again only if the server does not send the rest, and only the pinned file is kept. The token goes to the hub's own
//! address; the client leaves it out when a response redirects to another host.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{
    AUTHORIZATION, CONTENT_RANGE, ETAG, HeaderValue, IF_RANGE, RANGE, RETRY_AFTER,
};
use reqwest::{StatusCode, Url};

use super::partial::Partial;
use super::progress::Progress;
use super::retry::{Attempts, IfUnreachable, RetryPolicy};
use super::{Error, Fault, RepositoryError, error, pins};
use crate::config::Secret;

const USER_AGENT: &str = concat!("runpod-query/", env!("CARGO_PKG_VERSION"));
const BUFFER_BYTES: usize = 1 << 17;
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

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The hub or the connection failed: another attempt may help.
    #[error(transparent)]
    Remote(#[from] Fault),
    /// This machine failed: another attempt would fail too.
    #[error(transparent)]
    Local(#[from] Error),
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

    fn get(&self, url: &Url) -> RequestBuilder {
        let request = self.client.get(url.clone());
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization.clone()),
            None => request,
        }
    }

    /// Downloads a file, resuming where an earlier attempt or an earlier run stopped.
    pub(super) fn fetch(&self, wanted: &Wanted<'_>, target: &Path) -> Result<(), Error> {
        let mut transfer = Transfer {
            hub: self,
            wanted,
            partial: Partial::open(wanted.pin, target)?,
            version: None,
        };
        let mut attempts = Attempts::new(self.retry, self.if_unreachable);
        let progress =
            Progress::of_bytes(&wanted.name, wanted.pin.bytes, transfer.partial.length());
        loop {
            let before = transfer.partial.length();
            let fault = match transfer.attempt(&progress) {
                Ok(()) => {
                    progress.finish(wanted.pin.bytes);
                    return Ok(());
                }
                Err(Failure::Local(error)) => return Err(error),
                Err(Failure::Remote(fault)) => fault,
            };
            let gained = transfer.partial.length().saturating_sub(before);
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
                transfer.partial.length(),
                pause.as_secs_f64(),
            ));
            std::thread::sleep(pause);
        }
    }
}

/// The download of one file over several attempts.
struct Transfer<'a> {
    hub: &'a Hub<'a>,
    wanted: &'a Wanted<'a>,
    partial: Partial<'a>,
    /// Entity tag of the version that the partial file belongs to.
    version: Option<HeaderValue>,
}

impl Transfer<'_> {
    /// Downloads the missing bytes and keeps the file if it is the pinned one.
    fn attempt(&mut self, progress: &Progress) -> Result<(), Failure> {
        if self.partial.length() < self.wanted.pin.bytes {
            let response = self.request()?;
            self.join(&response)?;
            self.receive(response, progress)?;
        }
        self.partial.keep()??;
        Ok(())
    }

    /// Discards wrong or outdated bytes, so that the next attempt starts from the beginning.
    fn discard_after(&mut self, fault: &Fault) -> Result<(), Error> {
        match fault {
            Fault::Changed | Fault::Different { .. } => {
                self.version = None;
                self.partial.restart()
            }
            Fault::Unreachable(_)
            | Fault::Unanswered(_)
            | Fault::Refused { .. }
            | Fault::TooLarge { .. }
            | Fault::Interrupted { .. } => Ok(()),
        }
    }

    fn request(&self) -> Result<Response, Fault> {
        let mut request = self.hub.get(&self.wanted.url);
        let there = self.partial.length();
        if there > 0 {
            request = request.header(RANGE, format!("bytes={there}-"));
            if let Some(version) = &self.version {
                request = request.header(IF_RANGE, version.clone());
            }
        }
        send(request)
    }

    /// Prepares the partial file so that the response's body continues it.
    fn join(&mut self, response: &Response) -> Result<(), Failure> {
        let there = self.partial.length();
        let version = version(response);
        let status = response.status();
        if status == StatusCode::PARTIAL_CONTENT && there > 0 {
            let same_version = self.version.is_none() || self.version == version;
            if !same_version || first_byte(response) != Some(there) {
                return Err(Fault::Changed.into());
            }
        } else if status == StatusCode::OK {
            self.partial.restart()?;
        } else if status == StatusCode::RANGE_NOT_SATISFIABLE && there > 0 {
            return Err(Fault::Changed.into());
        } else {
            return Err(refused(response).into());
        }
        self.version = version;
        let rest = self.wanted.pin.bytes - self.partial.length();
        match response.content_length() {
            Some(announced) if announced != rest => {
                let got = self.partial.length() + announced;
                Err(Fault::different_size(self.wanted.pin.bytes, got).into())
            }
            Some(_) | None => Ok(()),
        }
    }

    fn receive(&mut self, mut response: Response, progress: &Progress) -> Result<(), Failure> {
        let expected = self.wanted.pin.bytes;
        let mut buffer = vec![0; BUFFER_BYTES];
        let interrupted = loop {
            match response.read(&mut buffer) {
                Ok(0) => break None,
                Ok(count) if self.partial.length() + count as u64 > expected => {
                    return Err(Failure::Remote(Fault::Different {
                        expected: format!("{expected} bytes"),
                        got: format!("{} bytes or more", self.partial.length() + count as u64),
                    }));
                }
                Ok(count) => self.partial.append(&buffer[..count])?,
                Err(source) => break Some(source),
            }
            progress.at(self.partial.length());
        };
        let got = self.partial.length();
        if got < expected {
            return Err(Failure::Remote(Fault::Interrupted {
                got,
                expected,
                source: interrupted,
            }));
        }
        Ok(())
    }
}

/// The header of a token, which no log shows.
fn authorization(token: &Secret) -> Result<HeaderValue, RepositoryError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose().trim()))
        .map_err(|_| RepositoryError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

fn send(request: RequestBuilder) -> Result<Response, Fault> {
    request.send().map_err(|error| {
        let error = error.without_url();
        if error.is_connect() {
            Fault::Unreachable(error)
        } else {
            Fault::Unanswered(error)
        }
    })
}

fn refused(response: &Response) -> Fault {
    Fault::Refused {
        status: response.status(),
        retry_after: retry_after(response),
    }
}

/// The entity tag. A weak one is left out, because it does not prove that two parts belong together.
fn version(response: &Response) -> Option<HeaderValue> {
    let tag = response.headers().get(ETAG)?;
    tag.as_bytes().starts_with(b"\"").then(|| tag.clone())
}

/// Position in the file of the response's first byte.
fn first_byte(response: &Response) -> Option<u64> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (first, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    first.parse().ok()
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
