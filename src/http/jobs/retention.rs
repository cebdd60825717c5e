//! How long, and in how much memory, jobs are kept.

use std::time::Duration;

use crate::config;

/// The memory for queries alone is all memory divided by this number.
const QUERIES_DIVISOR: usize = 8;

/// How a job was submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// By `/run`: its caller asks for the result later.
    Queued,
    /// By `/runsync`: its caller waits for the result.
    Sync,
}

/// How long, and in how much memory, jobs are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Bytes of all jobs.
    pub bytes: usize,
    /// Those among them that unfinished jobs leave to queries whose callers wait.
    pub query_bytes: usize,
    /// Time for the result of a job of [`JobKind::Queued`].
    pub queued: Duration,
    /// Time for the result of a job of [`JobKind::Sync`].
    pub sync: Duration,
}

impl Retention {
    /// How long a result is kept.
    pub fn time(&self, kind: JobKind) -> Duration {
        match kind {
            JobKind::Queued => self.queued,
            JobKind::Sync => self.sync,
        }
    }
}

impl From<&config::Jobs> for Retention {
    fn from(settings: &config::Jobs) -> Self {
        let seconds = |count: std::num::NonZeroUsize| Duration::from_secs(count.get() as u64);
        Self {
            bytes: settings.memory_bytes.get(),
            query_bytes: settings.memory_bytes.get() / QUERIES_DIVISOR,
            queued: seconds(settings.result_seconds),
            sync: seconds(settings.sync_result_seconds),
        }
    }
}
