//! One life of a job, for every transport: its id, what was submitted, and its execution.
//!
//! Owns the limits, the cancellation and the waiting of a job while the service is overloaded. Imports
//! [`crate::service`]. Knows no transport. A job ends exactly once, and a cancelled job costs no more work.

mod execution;
mod job_id;
mod policy;
mod span;
mod submission;

pub use execution::{Execution, Outcome, Progress, Waiting};
pub use job_id::JobId;
pub use policy::{Policy, PolicyFields};
pub use span::{LONGEST, Span};
pub use submission::Submission;

pub use crate::service::{Counted, Gauge};
