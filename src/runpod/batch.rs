//! The batch of a job that RunPod runs as one of many, for the log: a batch has one id and many jobs.

use std::fmt;

use crate::jobs::JobId;

/// The batch of a job, if it has one. Precedes a log message in the form that RunPod's package gives it.
#[derive(Debug, Clone, Default)]
pub struct Batch(Option<JobId>);

impl Batch {
    /// The batch with this id, which is shown as a job's is.
    pub fn new(id: Option<String>) -> Self {
        Self(id.and_then(JobId::new))
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(id) => write!(formatter, "[batchId={id}] "),
            None => Ok(()),
        }
    }
}
