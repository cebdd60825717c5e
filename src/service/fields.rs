//! Takes fields out of a JSON object: `null` counts as absent, and fields that are never taken are ignored.

use std::collections::BTreeMap;

use super::json::Value;
use super::{Invalid, Malformed};

/// The fields that are not yet taken.
pub struct Fields(BTreeMap<String, Value>);

impl Fields {
    /// The fields of a value that errors call `part`; an error if it is not an object.
    pub fn of(value: Value, part: &'static str) -> Result<Self, Malformed> {
        let found = value.kind();
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            Value::Null | Value::Boolean | Value::Number(_) | Value::String(_) | Value::List(_) => {
                Err(Malformed::NotAnObject { part, found })
            }
        }
    }

    /// Whether a field is given and not taken.
    pub fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|value| *value != Value::Null)
    }

    /// Takes a field.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.0.remove(field).filter(|value| *value != Value::Null)
    }

    /// Takes a field that must be a string.
    pub fn take_string(&mut self, field: &'static str) -> Result<Option<String>, Invalid> {
        let Some(value) = self.take(field) else {
            return Ok(None);
        };
        let found = value.kind();
        match value {
            Value::String(text) => Ok(Some(text)),
            Value::Null | Value::Boolean | Value::Number(_) | Value::List(_) | Value::Object(_) => {
                Err(Invalid::Kind {
                    field,
                    found,
                    expected: "a string",
                })
            }
        }
    }
}
