//! Why nothing could be measured.
//!
//! Every error names what was to be measured, started or read.

use std::path::PathBuf;
use std::process::ExitStatus;

use super::client::RequestError;
use model::export;

/// Why a measurement failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The texts cannot be generated.
    #[error("cannot generate texts with the model's tokenizer")]
    Texts(#[from] model::Error),
    /// The graph cannot be read.
    #[error("cannot determine the size of the model's weights")]
    Graph(#[from] export::Error),
    /// The HTTP client or its runtime cannot be created.
    #[error("cannot create the HTTP client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server's process cannot be started.
    #[error("cannot start {executable}", executable = executable.display())]
    Start {
        /// The program.
        executable: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The server ended before it was ready.
    #[error("the server ended ({status}) before it was ready: {log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        log: String,
    },
    /// The server did not become ready in time.
    #[error("the server was not ready after {seconds} s: {log}")]
    NotReady {
        /// How long it had.
        seconds: u64,
        /// The end of its log; empty for a server that was already running.
        log: String,
    },
    /// All requests failed.
    #[error("all requests failed while measuring {what}")]
    NoAnswer {
        /// What was to be measured.
        what: String,
        /// The first request's error.
        source: RequestError,
    },
    /// A measurement had nothing to send.
    #[error("nothing to send while measuring {what}")]
    NoJob {
        /// What was to be measured.
        what: String,
    },
    /// The measurements of the alternatives cannot be read.
    #[error("cannot read {path}", path = path.display())]
    ReadBaseline {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The file does not have the format of benches/compare.py.
    #[error("{path} does not hold measurements of alternatives", path = path.display())]
    Baseline {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
}

impl Error {
    /// The error of a request while measuring `what`.
    pub(crate) fn no_answer(what: impl Into<String>) -> impl FnOnce(RequestError) -> Self {
        |source| Self::NoAnswer {
            what: what.into(),
            source,
        }
    }
}
