//! The names of the three actions.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// What can be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Embed one query or a list of queries, ahead of bulk texts.
    #[default]
    EmbedQuery,
    /// Embed a list of texts.
    EmbedBatch,
    /// Ask whether the model answers.
    HealthCheck,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::EmbedQuery, Self::EmbedBatch, Self::HealthCheck];

    /// The action as it is written in an input.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmbedQuery => "embed_query",
            Self::EmbedBatch => "embed_batch",
            Self::HealthCheck => "health_check",
        }
    }

    /// All actions in one line.
    pub(super) fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
