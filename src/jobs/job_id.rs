//! The id of a job.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

/// Characters of an id that the log shows: RunPod's own have 44 at most.
const SHOWN_CHARACTERS: usize = 80;

/// The id of a job: not empty, and usable in a path once it is percent-encoded; clones share it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct JobId(Arc<str>);

impl JobId {
    /// Accepts `id` unless no address could contain it: a path loses its empty and dotted segments.
    pub fn new(id: String) -> Option<Self> {
        (!matches!(id.as_str(), "" | "." | "..")).then(|| Self(id.into()))
    }

    /// A new id for an asynchronous job, in RunPod's format.
    pub fn generate() -> Self {
        Self(format!("{}-u1", Uuid::new_v4()).into())
    }

    /// A new id for a job whose caller waits, in RunPod's format.
    pub fn generate_sync() -> Self {
        Self(format!("sync-{}", Uuid::new_v4()).into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A job is looked up by the text of its id.
impl std::borrow::Borrow<str> for JobId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Shows the beginning, escaped.
impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.0.chars().take(SHOWN_CHARACTERS).collect();
        write!(formatter, "{}", shown.escape_debug())
    }
}
