//! What a caller submits: a request, and how long it may take.

use crate::service::Parsed;

use super::policy::Policy;

/// What a caller submits.
#[derive(Debug)]
pub struct Submission {
    /// The request, or what is wrong with it.
    pub request: Parsed,
    /// How long it may take.
    pub policy: Policy,
}

impl Submission {
    /// Whether it costs at most what a query does.
    pub fn is_query(&self) -> bool {
        self.request
            .as_ref()
            .is_ok_and(|request| request.is_query())
    }

    /// Bytes that it keeps in memory.
    pub fn bytes(&self) -> usize {
        self.request.as_ref().map_or(0, |request| request.bytes())
    }
}
