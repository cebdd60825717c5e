//! What can be wrong with a well-formed input, with the words for it.

use super::{Action, JsonKind};

/// What is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A field is of the wrong kind.
    #[error("{field} is {found}; it must be {expected}")]
    Kind {
        /// The field.
        field: &'static str,
        /// What it is.
        found: JsonKind,
        /// What it must be.
        expected: &'static str,
    },
    /// A member of a list is not a text.
    #[error("{field}[{index}] is {found}; each text must be a string")]
    Member {
        /// The list.
        field: &'static str,
        /// Position in the list, from 0.
        index: usize,
        /// What the member is.
        found: JsonKind,
    },
    /// A text holds nothing but white space.
    #[error("{field} is blank")]
    Blank {
        /// The field.
        field: &'static str,
    },
    /// A text in a list holds nothing but white space.
    #[error("{field}[{index}] is blank")]
    BlankMember {
        /// The list.
        field: &'static str,
        /// Position in the list, from 0.
        index: usize,
    },
    /// A list holds nothing.
    #[error("{field} is empty; give at least one text")]
    Empty {
        /// The list.
        field: &'static str,
    },
    /// Neither `query` nor `queries` is given.
    #[error("give query or queries")]
    NoQuery,
    /// Both `query` and `queries` are given.
    #[error("give query or queries, not both")]
    TwoQueries,
    /// `input` is given beside a field of an action.
    #[error("give input or {field}, not both")]
    InputAnd {
        /// The other field.
        field: &'static str,
    },
    /// A field that the action needs is not given.
    #[error("{field} is missing")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field that only another action has is given.
    #[error("{field} is a field of {owner}; the action is {action}")]
    Foreign {
        /// The field.
        field: &'static str,
        /// The action that has it.
        owner: Action,
        /// The action that was asked for.
        action: Action,
    },
    /// A list holds tokens in the place of texts.
    #[error(
        "{field} holds tokens; this endpoint takes texts only: with LangChain set check_embedding_ctx_length=False"
    )]
    Tokens {
        /// The list.
        field: &'static str,
    },
    /// Vectors of another length were asked for.
    #[error("dimensions is {given}; the model's vectors have {served}, and no others")]
    Dimensions {
        /// Beginning of what was given.
        given: String,
        /// Floats of the model's vectors.
        served: usize,
    },
    /// There is no such encoding of a vector.
    #[error("encoding_format is {given}; it must be float or base64")]
    EncodingFormat {
        /// Beginning of what was given, quoted.
        given: String,
    },
    /// There is no such action.
    #[error("action is {given}; it must be one of {}", Action::names())]
    Action {
        /// Beginning of what was given, quoted.
        given: String,
    },
}

impl Invalid {
    /// The field that is wrong, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Kind { field, .. }
            | Self::Member { field, .. }
            | Self::Blank { field }
            | Self::BlankMember { field, .. }
            | Self::Empty { field }
            | Self::Missing { field }
            | Self::Foreign { field, .. }
            | Self::Tokens { field } => Some(field),
            Self::Dimensions { .. } => Some("dimensions"),
            Self::EncodingFormat { .. } => Some("encoding_format"),
            Self::Action { .. } => Some("action"),
            Self::NoQuery | Self::TwoQueries | Self::InputAnd { .. } => None,
        }
    }
}
