//! Settings of RunPod's queue, and the variables that RunPod sets in a worker's container.
//!
//! Invariant: RunPod chooses the variables' values, not the worker's owner, so an unusable number never stops the start.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;

use serde::Deserialize;

use super::{Secret, non_zero};

/// RunPod's queue. The URLs are secrets: anyone who has them can act as the worker.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueSettings {
    /// URL template from which jobs are taken; absent: there is no queue. `RUNPOD_WEBHOOK_GET_JOB` means the same.
    pub get_job_url: Option<Secret>,
    /// URL template to which results are posted. `RUNPOD_WEBHOOK_POST_OUTPUT` means the same.
    pub post_output_url: Option<Secret>,
    /// URL template of heartbeats; absent: none are sent. `RUNPOD_WEBHOOK_PING` means the same.
    pub ping_url: Option<Secret>,
    /// Interval of heartbeats, in milliseconds; `RUNPOD_PING_INTERVAL` means the same.
    pub ping_interval_milliseconds: u64,
    /// The worker's credential, sent unchanged; `RUNPOD_AI_API_KEY` means the same.
    pub api_key: Option<Secret>,
    /// The worker's name; absent: a random one. `RUNPOD_POD_ID` means the same.
    pub pod_id: Option<String>,
    /// The machine's type, for templates that contain it; `RUNPOD_GPU_TYPE_ID` means the same.
    pub gpu_type_id: Option<String>,
    /// The endpoint's name, for the log; `RUNPOD_ENDPOINT_ID` means the same.
    pub endpoint_id: Option<String>,
    /// Jobs that run at the same time; `RUNPOD_MAX_CONCURRENCY` means the same.
    pub max_concurrency: NonZeroUsize,
    /// How long RunPod waits for a job's result, in seconds.
    pub job_seconds: NonZeroUsize,
    /// Texts in one job of the queue, within the limit of any call.
    pub job_texts: NonZeroUsize,
    /// Largest result of a job of the queue, in bytes of JSON, within the limit of any call.
    pub job_result_bytes: NonZeroUsize,
}

impl QueueSettings {
    /// Disables the queue: jobs arrive over HTTP only.
    pub fn leave_queue(&mut self) {
        self.get_job_url = None;
    }
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            get_job_url: None,
            post_output_url: None,
            ping_url: None,
            ping_interval_milliseconds: 10_000,
            api_key: None,
            pod_id: None,
            gpu_type_id: None,
            endpoint_id: None,
            max_concurrency: non_zero(4),
            job_seconds: non_zero(600),
            job_texts: non_zero(512),
            job_result_bytes: non_zero(10_000_000),
        }
    }
}

/// A variable that RunPod sets, and its setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueVariable {
    /// The variable.
    pub name: &'static str,
    /// The setting's dotted name.
    pub setting: &'static str,
    /// The smallest valid number; absent for a text.
    smallest: Option<u32>,
}

impl QueueVariable {
    /// URL from which jobs are taken. Its presence makes the program a worker.
    pub const GET_JOB: Self = Self::text("RUNPOD_WEBHOOK_GET_JOB", "worker.get_job_url");
    /// URL to which results are posted.
    pub const POST_OUTPUT: Self =
        Self::text("RUNPOD_WEBHOOK_POST_OUTPUT", "worker.post_output_url");
    /// URL of heartbeats.
    pub const PING: Self = Self::text("RUNPOD_WEBHOOK_PING", "worker.ping_url");
    /// The worker's credential.
    pub const API_KEY: Self = Self::text("RUNPOD_AI_API_KEY", "worker.api_key");

    /// Every variable.
    pub(super) const ALL: [Self; 9] = [
        Self::GET_JOB,
        Self::POST_OUTPUT,
        Self::PING,
        Self::number(
            "RUNPOD_PING_INTERVAL",
            "worker.ping_interval_milliseconds",
            0,
        ),
        Self::API_KEY,
        Self::text("RUNPOD_POD_ID", "worker.pod_id"),
        Self::text("RUNPOD_GPU_TYPE_ID", "worker.gpu_type_id"),
        Self::text("RUNPOD_ENDPOINT_ID", "worker.endpoint_id"),
        Self::number("RUNPOD_MAX_CONCURRENCY", "worker.max_concurrency", 1),
    ];

    const fn text(name: &'static str, setting: &'static str) -> Self {
        Self {
            name,
            setting,
            smallest: None,
        }
    }

    const fn number(name: &'static str, setting: &'static str, smallest: u32) -> Self {
        Self {
            name,
            setting,
            smallest: Some(smallest),
        }
    }

    /// The setting's value, with decimals rounded; `None` if a number is unusable.
    fn usable(&self, value: &str) -> Option<String> {
        let Some(smallest) = self.smallest else {
            return Some(value.to_owned());
        };
        let number = value.trim().parse::<f64>().ok()?.round();
        let range = f64::from(smallest)..=f64::from(u32::MAX);
        range.contains(&number).then(|| number.to_string())
    }
}

impl fmt::Display for QueueVariable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.setting, self.name)
    }
}

/// The queue's settings from an environment.
#[derive(Default)]
pub struct QueueValues {
    /// Settings and their values.
    pub settings: Vec<(&'static str, String)>,
    /// Names of the variables whose values cannot be used.
    pub unusable: Vec<&'static str>,
}

impl QueueValues {
    /// Reads the variables that are not empty.
    pub fn read(environment: &HashMap<String, String>) -> Self {
        let mut values = Self::default();
        for variable in QueueVariable::ALL {
            let value = environment.get(variable.name);
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                continue;
            };
            match variable.usable(value) {
                Some(value) => values.settings.push((variable.setting, value)),
                None => values.unusable.push(variable.name),
            }
        }
        values
    }
}
