//! How urgent the texts of a request are.

use super::Request;
use crate::engine::{Call, Priority};

impl Request {
    /// A person usually waits for a single text; documents come in lists, and `texts` are always documents. For the answer
    /// to a call in the background nobody waits.
    pub(super) fn priority(&self, call: &Call) -> Priority {
        let is_single = self.texts().is_none_or(|texts| texts.len() == 1);
        match self {
            _ if call.is_background() => Priority::Bulk,
            Self::Texts(_) => Priority::Bulk,
            Self::Query(_) | Self::Queries(_) | Self::OpenAi(_) | Self::OpenAiInJob(_)
                if is_single =>
            {
                Priority::Interactive
            }
            Self::Query(_) | Self::Queries(_) => Priority::List,
            Self::OpenAi(_) | Self::OpenAiInJob(_) => Priority::Bulk,
            Self::HealthCheck => Priority::Interactive,
        }
    }
}
