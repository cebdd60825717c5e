//! The one door to everything that is fetched or made once and kept.
//!
//! Owns what the settings say about fetching. Invariant: opening a store touches neither the disk nor the network, and
//! an offline store never fetches.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use reqwest::Url;

use super::cache::{Cache, Leftovers};
use super::{Error, Pins, RetryPolicy};
use crate::config;

/// Where things come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// What is fetched.
    pub pins: Cow<'static, Pins>,
    /// How downloads are retried.
    pub retry: RetryPolicy,
    /// Python interpreters that may have pip, the first that has it being used.
    pub interpreters: Vec<OsString>,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            pins: Cow::Borrowed(Pins::get()),
            retry: RetryPolicy::default(),
            interpreters: vec!["python3".into(), "python".into()],
        }
    }
}

/// Files that are fetched or made once and then kept.
///
/// Its functions block: an asynchronous caller gives them a thread of their own.
#[derive(Debug)]
pub struct Store {
    pub(super) cache: Cache,
    pub(super) offline: bool,
    pub(super) runtime_library: Option<PathBuf>,
    pub(super) hub: Url,
    pub(super) sources: Sources,
}

impl Store {
    /// The store that the settings describe.
    pub fn open(settings: &config::Artifacts) -> Result<Self, Error> {
        Self::open_with(settings, Sources::default())
    }

    /// The same with other sources.
    pub fn open_with(settings: &config::Artifacts, sources: Sources) -> Result<Self, Error> {
        let hub = settings.hub_url.as_ref().unwrap_or(&sources.pins.hub.url);
        Ok(Self {
            cache: Cache::new(settings.cache_directory()?),
            offline: settings.offline,
            runtime_library: settings.runtime_library.clone(),
            hub: hub.parse().map_err(|source| Error::HubUrl { source })?,
            sources,
        })
    }

    /// What this store fetches.
    pub fn pins(&self) -> &Pins {
        &self.sources.pins
    }

    /// Whether fetching is switched off.
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// The complete folder `key` of the cache, whose content `fill` makes in a staging folder if it is not there.
    ///
    /// Of several processes that want the same folder one calls its `fill` and the others wait. If `fill` fails,
    /// nothing is left. The key is a relative path such as `models/minilm-fp32-0123456789ab` and must change
    /// whenever the content would.
    pub fn populate<E: From<Error>>(
        &self,
        key: &str,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        self.cache.entry(key, Leftovers::Remove)?.create(fill)
    }
}
