//! The rules for every text, whatever its field.

use std::sync::Arc;

use super::json::{JsonKind, List, Value};
use super::{Error, Invalid, TooLarge};

/// Texts, shared and not copied by everyone who needs them: the engine, and whoever may retry the request.
pub type Texts = Arc<[String]>;

/// Why a value is not a text.
enum Flaw {
    Kind(JsonKind),
    Blank,
}

/// The one text of a field.
pub fn one_text(
    field: &'static str,
    value: Value,
    expected: &'static str,
) -> Result<Texts, Invalid> {
    text(value)
        .map(|text| [text].into())
        .map_err(|flaw| match flaw {
            Flaw::Blank => Invalid::Blank { field },
            Flaw::Kind(found) => Invalid::Kind {
                field,
                found,
                expected,
            },
        })
}

/// The texts of a field: at least one, and at most `limit`; at least as many were kept of the list.
pub fn texts(
    field: &'static str,
    value: Value,
    expected: &'static str,
    limit: usize,
) -> Result<Texts, Error> {
    let found = value.kind();
    let Value::List(List { members, length }) = value else {
        return Err(Invalid::Kind {
            field,
            found,
            expected,
        }
        .into());
    };
    if length == 0 {
        return Err(Invalid::Empty { field }.into());
    }
    if length > limit {
        return Err(TooLarge::Texts {
            field,
            texts: length,
            limit,
        }
        .into());
    }
    let texts = members
        .into_iter()
        .enumerate()
        .map(|(index, value)| member(field, index, value));
    Ok(texts.collect::<Result<_, Invalid>>()?)
}

fn member(field: &'static str, index: usize, value: Value) -> Result<String, Invalid> {
    text(value).map_err(|flaw| match flaw {
        Flaw::Blank => Invalid::BlankMember { field, index },
        Flaw::Kind(found) => Invalid::Member {
            field,
            index,
            found,
        },
    })
}

fn text(value: Value) -> Result<String, Flaw> {
    let found = value.kind();
    let Value::String(text) = value else {
        return Err(Flaw::Kind(found));
    };
    if text.trim().is_empty() {
        return Err(Flaw::Blank);
    }
    Ok(text)
}
