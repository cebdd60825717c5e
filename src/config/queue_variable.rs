//! The variables that RunPod sets in a worker's container, and the settings that they are.
//!
//! RunPod chooses their values, not the worker's owner: one that cannot be used must not keep a worker from its work.

use std::collections::HashMap;
use std::fmt;

/// A variable of RunPod's, and the setting that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueVariable {
    /// The variable.
    pub name: &'static str,
    /// The setting's dotted name.
    pub setting: &'static str,
    /// The smallest number that it may be; nothing where it is a text.
    smallest: Option<u32>,
}

impl QueueVariable {
    /// Where jobs are taken: it makes the program a worker.
    pub const GET_JOB: Self = Self::text("RUNPOD_WEBHOOK_GET_JOB", "worker.get_job_url");
    /// Where results are posted.
    pub const POST_OUTPUT: Self =
        Self::text("RUNPOD_WEBHOOK_POST_OUTPUT", "worker.post_output_url");
    /// Where heartbeats go.
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

    /// What the setting becomes; nothing where it is a number and the value is none. Decimals are rounded.
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

/// What the variables of an environment say.
#[derive(Default)]
pub struct QueueValues {
    /// Settings and their values.
    pub settings: Vec<(&'static str, String)>,
    /// Names of the variables whose values cannot be used.
    pub unusable: Vec<&'static str>,
}

impl QueueValues {
    /// Reads the variables that are set to something.
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
