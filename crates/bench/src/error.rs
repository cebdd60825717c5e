//! Why nothing could be measured.

use std::path::PathBuf;
use std::process::ExitStatus;

use super::client::RequestError;
use model::export;

/// Why a measurement cannot be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The texts cannot be made.
    #[error("cannot make texts with the model's tokenizer")]
    Texts(#[from] model::Error),
    /// The graph cannot be read.
    #[error("cannot tell how large the model's matrices are")]
    Graph(#[from] export::Error),
    /// The HTTP client or its runtime cannot be built.
    #[error("cannot build the HTTP client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server's process cannot be started.
    #[error("cannot start {executable}", executable = executable.display())]
    Start {
        /// The program.
        executable: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The server ended instead of answering.
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
        /// How long it was given.
        seconds: u64,
        /// The end of its log; empty for a server that was running already.
        log: String,
    },
    /// Not a single request was answered.
    #[error("no answer while measuring {what}")]
    NoAnswer {
        /// What was to be measured.
        what: String,
        /// How the first request failed.
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
        /// What the system says.
        source: std::io::Error,
    },
    /// The measurements of the alternatives are not what benches/alternatives.py writes.
    #[error("{path} does not hold measurements of alternatives", path = path.display())]
    Baseline {
        /// The file.
        path: PathBuf,
        /// Where it fails.
        source: serde_json::Error,
    },
}
