//! The download of one file.
//!
//! Owns how a response continues what is there. Invariant: bytes that are already there are downloaded again only if the server
//! does not send the rest, and only the pinned file is kept.

use std::io::Read;
use std::path::Path;

use reqwest::StatusCode;
use reqwest::blocking::Response;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderValue, IF_RANGE, RANGE};

use super::download::{Hub, Wanted, refused, send};
use super::partial::Partial;
use super::progress::Progress;
use super::{Error, Fault};

const BUFFER_BYTES: usize = 1 << 17;

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The hub or the connection failed: another attempt may help.
    #[error(transparent)]
    Remote(#[from] Fault),
    /// This machine failed: another attempt would fail too.
    #[error(transparent)]
    Local(#[from] Error),
}

/// The download of one file over several attempts.
pub(super) struct Transfer<'a> {
    hub: &'a Hub<'a>,
    wanted: &'a Wanted<'a>,
    partial: Partial<'a>,
    /// Entity tag of the version that the partial file belongs to.
    version: Option<HeaderValue>,
}

impl<'a> Transfer<'a> {
    /// Opens what an earlier run left of `target`.
    pub(super) fn open(
        hub: &'a Hub<'a>,
        wanted: &'a Wanted<'a>,
        target: &Path,
    ) -> Result<Self, Error> {
        Ok(Self {
            hub,
            wanted,
            partial: Partial::open(wanted.pin, target)?,
            version: None,
        })
    }

    /// Bytes that are there.
    pub(super) fn length(&self) -> u64 {
        self.partial.length()
    }

    /// Downloads the missing bytes and keeps the file if it is the pinned one.
    pub(super) fn attempt(&mut self, progress: &Progress) -> Result<(), Failure> {
        if self.partial.length() < self.wanted.pin.bytes {
            let response = self.request()?;
            self.join(&response)?;
            self.receive(response, progress)?;
        }
        self.partial.keep()??;
        Ok(())
    }

    /// Discards wrong or outdated bytes, so that the next attempt starts from the beginning.
    pub(super) fn discard_after(&mut self, fault: &Fault) -> Result<(), Error> {
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
