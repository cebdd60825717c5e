//! What one request may ask for.

use std::time::Duration;

use crate::config::Settings;

/// Limits of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Texts in one request.
    pub texts: usize,
    /// Largest result, in bytes of JSON.
    pub result_bytes: usize,
    /// Longest time for which a caller waits.
    pub time: Duration,
}

impl From<&Settings> for RequestLimits {
    fn from(settings: &Settings) -> Self {
        Self {
            texts: settings.limits.texts_per_call.get(),
            result_bytes: settings.limits.result_bytes.get(),
            time: settings.server.request_timeout(),
        }
    }
}
