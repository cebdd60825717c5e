//! A JSON parser that is strict and bounded in memory.
//!
//! A duplicate key, half a surrogate pair or nesting that is too deep is an error everywhere. A list keeps its first
//! members and counts the others, and the number of values that are kept is limited, so a body within its limit stays
//! small in memory.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_json::value::RawValue;

/// Most values that are kept besides the members of one list: far more than any request needs.
const MOST_VALUES: usize = 10_000;
/// Characters of a key or value that an error repeats.
const SHOWN_CHARACTERS: usize = 40;

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonKind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// A list.
    List,
    /// An object.
    Object,
}

impl JsonKind {
    /// The kind of a value that is not parsed yet.
    pub fn of(value: &RawValue) -> Self {
        match value.get().as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'"') => Self::String,
            Some(b'[') => Self::List,
            Some(b'{') => Self::Object,
            _ => Self::Number,
        }
    }
}

impl fmt::Display for JsonKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::List => "a list",
            Self::Object => "an object",
        })
    }
}

/// A parsed value.
#[derive(Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// A list.
    List(List),
    /// An object.
    Object(BTreeMap<String, Value>),
}

/// A list's beginning and its length.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The first members.
    pub members: Vec<Value>,
    /// How many there are in all.
    pub length: usize,
}

impl Value {
    /// What it is.
    pub fn kind(&self) -> JsonKind {
        match self {
            Self::Null => JsonKind::Null,
            Self::Boolean => JsonKind::Boolean,
            Self::Number(_) => JsonKind::Number,
            Self::String(_) => JsonKind::String,
            Self::List(_) => JsonKind::List,
            Self::Object(_) => JsonKind::Object,
        }
    }

    /// Parses `json`, keeping at most `members` members of each list.
    pub fn read(json: &RawValue, members: usize) -> Result<Self, serde_json::Error> {
        let reader = Reader {
            members,
            left: &Cell::new(MOST_VALUES.saturating_add(members)),
        };
        reader.deserialize(&mut serde_json::Deserializer::from_str(json.get()))
    }
}

/// The beginning of `text` in quotes, fit for an error.
pub fn quote(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    /// Members of a list that are kept.
    members: usize,
    /// Values that may still be kept.
    left: &'a Cell<usize>,
}

impl Reader<'_> {
    fn keep<E: Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        let left = left.ok_or_else(|| E::custom("it holds far more values than any request"))?;
        self.left.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Boolean)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        // JSON has no number that is not finite.
        let number = Number::from_f64(number).ok_or_else(|| E::custom("number out of range"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut list = List::default();
        // Of a list in a list only its kind and that of its first member matter.
        let inner = Self {
            members: self.members.min(1),
            ..self
        };
        while let Some(value) = sequence.next_element_seed(inner)? {
            list.length += 1;
            if list.members.len() < self.members {
                self.keep()?;
                list.members.push(value);
            }
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "the key {} appears twice",
                    quote(&name)
                )));
            }
            self.keep()?;
            let value = map.next_value_seed(self)?;
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, members: usize) -> Result<Value, String> {
        let raw: &RawValue = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Value::read(raw, members).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_is_read_as_far_as_needed() {
        let Value::Object(fields) = read(
            r#"{"n":null,"b":true,"i":-1,"u":1,"f":1.5,"s":"\u00e9\n","l":["a",2,[]],"o":{}}"#,
            2,
        )
        .unwrap() else {
            panic!("no object");
        };
        assert_eq!(fields["n"], Value::Null);
        assert_eq!(fields["b"], Value::Boolean);
        for number in ["i", "u", "f"] {
            assert_eq!(fields[number].kind(), JsonKind::Number);
        }
        assert_eq!(fields["s"], Value::String("é\n".to_owned()));
        let members = vec![Value::String("a".to_owned()), Value::Number(2.into())];
        assert_eq!(fields["l"], Value::List(List { members, length: 3 }));
        assert_eq!(fields["o"], Value::Object(BTreeMap::new()));
    }

    #[test]
    fn an_ambiguous_or_invalid_field_is_an_error_in_every_position() {
        let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        for (json, words) in [
            (r#"{"a":1,"a":1}"#, r#"the key "a" appears twice"#),
            (
                r#"{"x":[{"b":1,"\u0062":2}]}"#,
                r#"the key "b" appears twice"#,
            ),
            (r#"{"x":"\ud83d"}"#, "hex escape"),
            (r#"{"x":["\ud83d\u0041"]}"#, "surrogate"),
            (r#"{"x":1e999}"#, "number out of range"),
            (deep.as_str(), "recursion limit"),
        ] {
            let error = read(json, 8).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn what_would_take_far_more_memory_than_its_text_is_an_error() {
        let numbers = "1,".repeat(511) + "1";
        let lists = (0..30).map(|number| format!(r#""{number}":[{numbers}]"#));
        let keys = (0..12_000).map(|number| format!(r#""{number}":1"#));
        for fields in [lists.collect::<Vec<_>>(), keys.collect()] {
            let error = read(&format!("{{{}}}", fields.join(",")), 512).unwrap_err();
            assert!(error.contains("far more values"), "{error}");
        }
        let tokens = vec![format!("[{numbers}]"); 512].join(",");
        assert!(read(&format!("[{tokens}]"), 512).is_ok());
        assert!(read(&format!("[{}1]", "1,".repeat(100_000)), 512).is_ok());
    }

    #[test]
    fn the_kind_of_a_value_is_known_before_it_is_read() {
        for json in ["null", "true", "false", "-1", "2.5", "\"\"", "[]", "{}"] {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(
                JsonKind::of(raw),
                Value::read(raw, 0).unwrap().kind(),
                "{json}"
            );
        }
    }

    #[test]
    fn a_long_or_odd_text_is_shown_in_part_and_escaped() {
        assert_eq!(quote("a\n\u{1b}"), r#""a\n\u{1b}""#);
        assert_eq!(quote(&"é".repeat(41)), format!("\"{}\"...", "é".repeat(40)));
    }
}
