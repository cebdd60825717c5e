//! From an input to a request that cannot be wrong: all checks that need no model are here.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::INPUT;
use super::json::{Value, quote};
use super::texts::{one_text, texts};
use super::{Error, Invalid, Malformed};

const ACTION: &str = "action";
const QUERY: &str = "query";
const QUERIES: &str = "queries";
const TEXTS: &str = "texts";

/// The fields that hold texts, and the one action that has each.
const TEXT_FIELDS: [(&str, Action); 3] = [
    (QUERY, Action::EmbedQuery),
    (QUERIES, Action::EmbedQuery),
    (TEXTS, Action::EmbedBatch),
];

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

/// A valid request: no list is empty or too long, no text is blank.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// One query.
    Query(String),
    /// A list of queries.
    Queries(Vec<String>),
    /// A list of texts.
    Texts(Vec<String>),
    /// Whether the model answers.
    Health,
}

impl Request {
    /// Reads an input; a list may hold `limit` texts. Fields that no action has are ignored, and `null` counts as
    /// absent.
    pub fn parse(input: &RawValue, limit: usize) -> Result<Self, Error> {
        let value = Value::read(input, limit).map_err(|reason| Malformed::Json {
            part: INPUT,
            reason,
        })?;
        let found = value.kind();
        let Value::Object(fields) = value else {
            return Err(Malformed::NotAnObject { part: INPUT, found }.into());
        };
        Fields { fields, limit }.request()
    }
}

/// The fields of an input that are not yet taken.
struct Fields {
    fields: BTreeMap<String, Value>,
    limit: usize,
}

impl Fields {
    fn request(mut self) -> Result<Request, Error> {
        let action = self.action()?;
        self.refuse_foreign(action)?;
        match action {
            Action::EmbedQuery => self.query(),
            Action::EmbedBatch => {
                let list = self.take(TEXTS).ok_or(Invalid::Missing { field: TEXTS })?;
                let expected = "a list of strings";
                Ok(Request::Texts(texts(TEXTS, list, expected, self.limit)?))
            }
            Action::HealthCheck => Ok(Request::Health),
        }
    }

    fn query(&mut self) -> Result<Request, Error> {
        match (self.take(QUERY), self.take(QUERIES)) {
            (Some(_), Some(_)) => Err(Invalid::TwoQueries.into()),
            (None, None) => Err(Invalid::NoQuery.into()),
            (Some(query), None) => {
                let expected = "a string (a list goes into queries)";
                Ok(Request::Query(one_text(QUERY, query, expected)?))
            }
            (None, Some(queries)) => {
                let expected = "a list of strings (one string alone goes into query)";
                Ok(Request::Queries(texts(
                    QUERIES, queries, expected, self.limit,
                )?))
            }
        }
    }

    fn action(&mut self) -> Result<Action, Invalid> {
        let Some(value) = self.take(ACTION) else {
            return Ok(Action::default());
        };
        let found = value.kind();
        let Value::String(name) = value else {
            return Err(Invalid::Kind {
                field: ACTION,
                found,
                expected: "a string",
            });
        };
        Action::ALL
            .into_iter()
            .find(|action| action.as_str() == name)
            .ok_or_else(|| Invalid::Action {
                given: quote(&name),
            })
    }

    /// A field of another action is a misunderstanding: what it holds would silently not be embedded.
    fn refuse_foreign(&self, action: Action) -> Result<(), Invalid> {
        let given = |field: &str| {
            self.fields
                .get(field)
                .is_some_and(|value| *value != Value::Null)
        };
        match TEXT_FIELDS
            .into_iter()
            .find(|(field, owner)| *owner != action && given(field))
        {
            Some((field, owner)) => Err(Invalid::Foreign {
                field,
                owner,
                action,
            }),
            None => Ok(()),
        }
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        self.fields
            .remove(field)
            .filter(|value| *value != Value::Null)
    }
}

#[cfg(test)]
mod tests;
