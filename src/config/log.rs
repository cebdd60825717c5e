//! Settings of the log.
//!
//! Invariant: the default filter shows no messages of the HTTP library.

use serde::Deserialize;

/// The default log filter, which leaves out the HTTP library's own messages.
pub const DEFAULT_LOG_FILTER: &str = "info,actix_server=warn";

/// The log on standard error.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Which messages are written, in `env_logger`'s syntax. `RUST_LOG` means the same.
    pub filter: String,
    /// Format of a message; absent: JSON if RunPod has named an endpoint, else text.
    pub format: Option<LogFormat>,
}

/// Format of a log message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A readable line.
    Text,
    /// One JSON object per line, with the fields of RunPod's package.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: DEFAULT_LOG_FILTER.to_owned(),
            format: None,
        }
    }
}
