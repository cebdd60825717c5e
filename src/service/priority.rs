//! How urgent the texts of a request are.

use super::Request;
use crate::engine::Priority;

impl Request {
    /// A person usually waits for a single text; documents come in lists, and `texts` are always documents.
    pub(super) fn priority(&self) -> Priority {
        let is_single = self.texts().is_none_or(|texts| texts.len() == 1);
        match self {
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
