//! RunPod's queue: the variables that RunPod itself sets in a worker's container, and what is ours to choose.

use std::num::NonZeroUsize;

use serde::Deserialize;

use super::{Secret, non_zero};

/// RunPod's queue. The addresses are secrets: whoever has them is the worker.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueSettings {
    /// Where jobs are taken, as a template; absent: there is no queue. `RUNPOD_WEBHOOK_GET_JOB` means the same.
    pub get_job_url: Option<Secret>,
    /// Where results are posted, as a template. `RUNPOD_WEBHOOK_POST_OUTPUT` means the same.
    pub post_output_url: Option<Secret>,
    /// Where heartbeats go, as a template; absent: there are none. `RUNPOD_WEBHOOK_PING` means the same.
    pub ping_url: Option<Secret>,
    /// Time between two heartbeats, in milliseconds; `RUNPOD_PING_INTERVAL` means the same.
    pub ping_interval_milliseconds: u64,
    /// The worker's credential, sent as it is; `RUNPOD_AI_API_KEY` means the same.
    pub api_key: Option<Secret>,
    /// The worker's name; absent: a random one. `RUNPOD_POD_ID` means the same.
    pub pod_id: Option<String>,
    /// The machine's kind, for templates that ask for it; `RUNPOD_GPU_TYPE_ID` means the same.
    pub gpu_type_id: Option<String>,
    /// The endpoint's name, for the log; `RUNPOD_ENDPOINT_ID` means the same.
    pub endpoint_id: Option<String>,
    /// Jobs that are worked on at one time; `RUNPOD_MAX_CONCURRENCY` means the same.
    pub max_concurrency: NonZeroUsize,
    /// How long RunPod waits for a job's result, in seconds.
    pub job_seconds: NonZeroUsize,
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
        }
    }
}
