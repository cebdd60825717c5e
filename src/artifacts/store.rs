//! Access to downloaded and generated files.
//!
//! Owns the settings of downloads. Invariant: opening a store touches neither the disk nor the network, and an offline
//! store never downloads.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use reqwest::{StatusCode, Url};

use super::cache::{Cache, Leftovers};
use super::download::Hub;
use super::pip::INTERPRETERS;
use super::retry::IfUnreachable;
use super::{Error, Fault, Pins, RepositoryError, RetryPolicy};
use crate::config::{self, Secret};

/// Where files come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The pinned files.
    pub pins: Cow<'static, Pins>,
    /// How downloads are retried.
    pub retry: RetryPolicy,
    /// Python interpreters; the first that has pip is used.
    pub interpreters: Vec<OsString>,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            pins: Cow::Borrowed(Pins::get()),
            retry: RetryPolicy::default(),
            interpreters: INTERPRETERS.map(OsString::from).to_vec(),
        }
    }
}

/// Files that are downloaded or generated once and then kept.
///
/// Its functions block: an asynchronous caller runs them on a separate thread.
#[derive(Debug)]
pub struct Store {
    pub(super) cache: Cache,
    pub(super) offline: bool,
    pub(super) runtime_library: Option<PathBuf>,
    pub(super) hub: Url,
    pub(super) hub_token: Option<Secret>,
    pub(super) sources: Sources,
}

impl Store {
    /// The store that the settings describe.
    pub fn open(settings: &config::Artifacts) -> Result<Self, Error> {
        Self::open_with(settings, Sources::default())
    }

    /// As [`Store::open`], with other sources.
    pub fn open_with(settings: &config::Artifacts, sources: Sources) -> Result<Self, Error> {
        let hub = settings.hub_url.as_ref().unwrap_or(&sources.pins.hub.url);
        Ok(Self {
            cache: Cache::new(settings.cache_directory()?),
            offline: settings.offline,
            runtime_library: settings.runtime_library.clone(),
            hub: hub.parse().map_err(|source| Error::HubUrl { source })?,
            hub_token: settings.hub_token.clone(),
            sources,
        })
    }

    /// The pinned files of this store.
    pub fn pins(&self) -> &Pins {
        &self.sources.pins
    }

    /// A connection to the hub, not made yet.
    pub(super) fn connect(&self, if_unreachable: IfUnreachable) -> Result<Hub<'_>, Error> {
        let (token, retry) = (self.hub_token.as_ref(), &self.sources.retry);
        Hub::new(&self.hub, token, retry, if_unreachable)
    }

    /// The hub's refusal in terms of the repository that it concerns; any other error as it is.
    pub(super) fn explain(&self, error: Error, repository: &str, revision: &str) -> Error {
        let Error::Download {
            source: Fault::Refused { status, .. },
            ..
        } = &error
        else {
            return error;
        };
        let (repository, has_token) = (repository.to_owned(), self.hub_token.is_some());
        match *status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => RepositoryError::Access {
                repository,
                has_token,
                source: Box::new(error),
            }
            .into(),
            StatusCode::NOT_FOUND => RepositoryError::NotFound {
                repository,
                revision: revision.to_owned(),
                has_token,
                source: Box::new(error),
            }
            .into(),
            _ => error,
        }
    }

    /// The complete folder `key` of the cache; `fill` first writes its content into a staging folder if it is missing.
    ///
    /// If several processes need the same folder, one calls its `fill` and the others wait. If `fill` fails, nothing is
    /// left. The key is a relative path such as `models/minilm-fp32-0123456789ab` and must change whenever the content
    /// would.
    pub fn populate<E: From<Error>>(
        &self,
        key: &str,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        self.cache.entry(key, Leftovers::Remove)?.create(fill)
    }
}
