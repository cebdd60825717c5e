//! Errors of the settings.
//!
//! Invariant: no message shows a value, which may be a secret.

use std::path::{Path, PathBuf};

use super::KEY_VARIABLE;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source holds an unknown setting or a value of the wrong kind.
    #[error("invalid settings: {0}")]
    Unusable(#[from] config::ConfigError),
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not valid TOML.
    #[error(transparent)]
    Syntax(Syntax),
    /// The key's variable is empty. Treating it as absent would open the server to everyone.
    #[error("server.api_key is blank: give {KEY_VARIABLE} a key or leave it out")]
    BlankKey,
    /// The value of a variable that is a setting is not Unicode.
    #[error("{variable} is not Unicode")]
    NotUnicode {
        /// The variable.
        variable: String,
    },
    /// Neither a cache folder nor a home directory is known.
    #[error("no cache folder is known: set RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY or HOME")]
    NoCacheDirectory,
}

/// Position and cause of a TOML syntax error, without the line itself, which may hold a key.
#[derive(Debug, thiserror::Error)]
#[error("{}, line {line}, column {column}: {message}", path.display())]
pub struct Syntax {
    path: PathBuf,
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    message: String,
}

impl Syntax {
    pub(super) fn new(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: error.message().to_owned(),
        }
    }
}
