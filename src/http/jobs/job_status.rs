//! The status of a job.

use serde::Serialize;
use utoipa::ToSchema;

use crate::service::Code;

/// The status of a job, in RunPod's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = Status)]
pub enum JobStatus {
    /// It waits.
    InQueue,
    /// The model works on it.
    InProgress,
    /// It has an output.
    Completed,
    /// It has an error.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It did not end in time.
    TimedOut,
}

impl JobStatus {
    /// The status as it is written in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InQueue => "IN_QUEUE",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    /// Whether a job with this status can be retried.
    pub const fn can_be_retried(self) -> bool {
        match self {
            Self::Failed | Self::TimedOut => true,
            Self::InQueue | Self::InProgress | Self::Completed | Self::Cancelled => false,
        }
    }

    /// How a job ends whose request failed with `code`.
    pub(super) const fn of_failure(code: Code) -> Self {
        match code {
            Code::Timeout => Self::TimedOut,
            Code::Malformed
            | Code::Unauthorized
            | Code::NotFound
            | Code::MethodNotAllowed
            | Code::Conflict
            | Code::TooLarge
            | Code::UnsupportedMediaType
            | Code::Invalid
            | Code::Overloaded
            | Code::Internal
            | Code::Unavailable => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_the_same_in_json_and_in_text() {
        for status in [
            JobStatus::InQueue,
            JobStatus::InProgress,
            JobStatus::Completed,
            JobStatus::Failed,
            JobStatus::Cancelled,
            JobStatus::TimedOut,
        ] {
            let json = serde_json::to_value(status).unwrap();
            assert_eq!(json, status.as_str());
        }
    }
}
