//! Why the settings cannot be used, in words that show no value that may be a secret.

use std::path::PathBuf;

use super::KEY_VARIABLE;
use super::file::Syntax;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source holds an unknown setting or a value of the wrong kind.
    #[error("settings are not usable: {0}")]
    Unusable(#[from] config::ConfigError),
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error(transparent)]
    Syntax(Syntax),
    /// The variable of the key holds nothing: taken for absent, it would open the server to everybody.
    #[error("server.api_key is blank: give {KEY_VARIABLE} a key or leave it out")]
    BlankKey,
    /// A variable that is a setting holds what is no text.
    #[error("{variable} is not Unicode")]
    NotUnicode {
        /// The variable.
        variable: String,
    },
    /// Neither a cache folder nor a home directory is known.
    #[error("no cache folder is known: set RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY or HOME")]
    NoCacheDirectory,
}
