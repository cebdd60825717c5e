//! From a value to texts: what holds for every text, whichever field it stands in.

use super::json::{Kind, List, Value};
use super::{Error, Invalid, TooLarge};

/// Why a value is no text.
enum Flaw {
    Kind(Kind),
    Blank,
}

/// The one text of a field.
pub fn one_text(
    field: &'static str,
    value: Value,
    expected: &'static str,
) -> Result<String, Invalid> {
    text(value).map_err(|flaw| match flaw {
        Flaw::Blank => Invalid::Blank { field },
        Flaw::Kind(found) => Invalid::Kind {
            field,
            found,
            expected,
        },
    })
}

/// The texts of a field: at least one, and at most `limit`, which is also as many as were kept of the list.
pub fn texts(
    field: &'static str,
    value: Value,
    expected: &'static str,
    limit: usize,
) -> Result<Vec<String>, Error> {
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
