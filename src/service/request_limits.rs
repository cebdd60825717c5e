//! What one request may ask for.

use std::time::Duration;

use crate::config::Settings;

/// Limits of one request. They depend on its transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Texts in one request.
    pub texts: usize,
    /// Largest result, in bytes of JSON.
    pub result_bytes: usize,
    /// Longest time for which a caller waits.
    pub time: Duration,
}

impl RequestLimits {
    /// Of any call.
    pub fn of_call(settings: &Settings) -> Self {
        Self {
            texts: settings.limits.texts_per_call.get(),
            result_bytes: settings.limits.result_bytes.get(),
            time: settings.server.request_timeout(),
        }
    }

    /// Of a job of RunPod's queue, which takes less: within those of any call.
    pub fn of_queued_job(settings: &Settings) -> Self {
        let of_call = Self::of_call(settings);
        Self {
            texts: of_call.texts.min(settings.worker.job_texts.get()),
            result_bytes: of_call
                .result_bytes
                .min(settings.worker.job_result_bytes.get()),
            ..of_call
        }
    }
}
