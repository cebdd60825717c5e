//! A store with small pins, a temporary cache and a local hub and pip.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use runpod_query::artifacts::{Pins, RetryPolicy, Sha256, Sources, Store};
use runpod_query::config;
use serde_json::{Value, json};

use super::hub::{Answer, Hub, Request};

pub const MODEL: &str = "small";
pub const FILE: &str = "sub/weights.bin";
pub const PATH_ON_THE_HUB: &str = "/owner/small/resolve/revision/sub/weights.bin";
pub const TAG: &str = "first";

/// The file of the small model.
pub fn content() -> Vec<u8> {
    (0..40_000_u32)
        .map(|index| (index * 31 % 251) as u8)
        .collect()
}

/// A temporary cache, and the settings and sources of a store.
pub struct Setup {
    pub cache: tempfile::TempDir,
    pub settings: config::Artifacts,
    pub sources: Sources,
}

impl Setup {
    /// A store with one model of one file, on the hub at `url`.
    pub fn new(url: &str) -> Self {
        Self::with_pins(url, pins())
    }

    pub fn with_pins(url: &str, pins: Value) -> Self {
        let cache = tempfile::tempdir().unwrap();
        Self {
            settings: config::Artifacts {
                cache_directory: Some(cache.path().to_owned()),
                hub_url: Some(url.to_owned()),
                ..config::Artifacts::default()
            },
            cache,
            sources: Sources {
                pins: Cow::Owned(Pins::parse(&pins.to_string()).unwrap()),
                retry: fast_retries(),
                interpreters: vec![OsString::from("no-such-python")],
            },
        }
    }

    pub fn store(&self) -> Store {
        Store::open_with(&self.settings, self.sources.clone()).unwrap()
    }

    /// Downloads the small model and returns its file.
    pub fn fetch(&self) -> Result<Vec<u8>, String> {
        match self.store().checkpoint(MODEL) {
            Ok(directory) => Ok(fs::read(directory.join(FILE)).unwrap()),
            Err(error) => Err(with_causes(&error)),
        }
    }

    /// The complete folders of checkpoints.
    pub fn complete_checkpoints(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.cache.path().join("checkpoints"));
        let paths = entries
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path());
        paths
            .filter(|path| {
                path.is_dir()
                    && path
                        .extension()
                        .is_none_or(|extension| extension != "staging")
            })
            .collect()
    }

    /// Path of the partial file.
    pub fn partial(&self) -> PathBuf {
        let identity = self.sources.pins.model(MODEL).unwrap().identity();
        let staging = format!("checkpoints/{MODEL}-{identity}.staging");
        self.cache
            .path()
            .join(staging)
            .join(format!("{FILE}.partial"))
    }

    /// Writes a partial file, as a killed run leaves it.
    pub fn leave_partial(&self, bytes: &[u8]) {
        let path = self.partial();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Pins of one model with one file.
pub fn pins() -> Value {
    json!({
        "hub": { "url": "http://unused", "file": "{repository}/resolve/{revision}/{path}", "listing": "api/models/{repository}/revision/{revision}?blobs=true" },
        "onnxruntime": {
            "package": "onnxruntime",
            "version": "9.9.9",
            "license": "MIT",
            "python": "cp313",
            "notices": ["onnxruntime/LICENSE"],
            "systems": {},
        },
        "models": {
            MODEL: {
                "repository": "owner/small",
                "revision": "revision",
                "license": "MIT",
                "files": { FILE: file_pin(&content()) },
            },
        },
    })
}

pub fn file_pin(content: &[u8]) -> Value {
    json!({ "bytes": content.len(), "sha256": Sha256::of(content).to_string() })
}

/// The program's retry policy with shorter pauses.
pub fn fast_retries() -> RetryPolicy {
    RetryPolicy {
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(4),
        longest_wait: Duration::from_millis(80),
        ..RetryPolicy::default()
    }
}

/// A hub that responds to its first requests with `first` and correctly to all others.
pub fn hub(first: Vec<fn(&Request) -> Answer>) -> Hub {
    let first = first
        .into_iter()
        .map(|respond| Box::new(respond) as Box<_>)
        .collect();
    Hub::start(
        first,
        Box::new(|request| Answer::proper(&content(), TAG, request)),
    )
}

/// A hub that responds to all requests in the same way.
pub fn hub_that_always(respond: fn(&Request) -> Answer) -> Hub {
    Hub::start(Vec::new(), Box::new(respond))
}

/// A URL without a listener: the system never assigns a port below 1024.
pub fn unreachable_url() -> String {
    "http://127.0.0.1:1".to_owned()
}

/// An error with all its causes, as the program prints it.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[track_caller]
pub fn assert_contains(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

/// All files below a folder, by relative path.
pub fn files_below(directory: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                files.push(
                    path.strip_prefix(directory)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
    }
    files.sort();
    files
}
