//! From a body of OpenAI's to a request that cannot be wrong, but for the model it names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, Type};

use crate::service::{
    Error, Invalid, Kind, List, Malformed, ModelInfo, Notation, Value, one_text, quote, texts,
};

/// How errors call the body of a request over HTTP.
pub const BODY: &str = "the body";

const INPUT: &str = "input";
const MODEL: &str = "model";
const ENCODING_FORMAT: &str = "encoding_format";

/// A request for vectors as users read about it; `Request::parse` is what accepts it.
#[derive(ToSchema)]
#[schema(example = json!({"input": "What is machine learning?"}))]
pub struct EmbeddingsRequest {
    /// One text, or a list of texts. Lists of tokens are refused.
    #[schema(schema_with = input_schema)]
    pub input: (),
    /// The model's repository or its short name; the one that is served unless given. Any other is not found.
    #[schema(example = json!(null))]
    pub model: Option<String>,
    /// How vectors are written; `float` unless given.
    #[schema(example = "float")]
    pub encoding_format: Option<EncodingFormat>,
}

/// A text must hold more than white space.
fn input_schema() -> Schema {
    let text = || {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"\S"))
    };
    let list = ArrayBuilder::new()
        .items(Object::from(text()))
        .min_items(Some(1));
    OneOfBuilder::new().item(text()).item(list).build().into()
}

/// How a vector is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EncodingFormat {
    /// A list of numbers.
    #[default]
    Float,
    /// The four bytes of each float, little endian, as base64: what OpenAI's Python package asks for.
    Base64,
}

impl EncodingFormat {
    const ALL: [Self; 2] = [Self::Float, Self::Base64];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Base64 => "base64",
        }
    }

    /// How the service calls it.
    pub const fn notation(self) -> Notation {
        match self {
            Self::Float => Notation::Decimal,
            Self::Base64 => Notation::Base64,
        }
    }
}

/// A valid request: at least one text, none blank, no more than the limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub texts: Vec<String>,
    pub encoding_format: EncodingFormat,
    model: Option<String>,
    dimensions: Option<String>,
}

impl Request {
    /// Reads a body that errors call `part`; a list may hold `limit` texts. Fields that are not known are ignored, and
    /// `null` counts as absent.
    pub fn parse(body: &RawValue, part: &'static str, limit: usize) -> Result<Self, Error> {
        let json = |reason| Malformed::Json { part, reason };
        let value = Value::read(body, limit).map_err(json)?;
        let found = value.kind();
        let Value::Object(mut fields) = value else {
            return Err(Malformed::NotAnObject { part, found }.into());
        };
        let input = take(&mut fields, INPUT).ok_or(Invalid::Missing { field: INPUT })?;
        Ok(Self {
            texts: input_texts(input, limit)?,
            encoding_format: encoding_format(&mut fields)?,
            model: string(&mut fields, MODEL)?,
            dimensions: dimensions(body).map_err(json)?,
        })
    }

    /// Refuses what only another model could answer.
    pub fn check(&self, model: &ModelInfo) -> Result<(), Error> {
        if let Some(given) = &self.model
            && !model.is_called(given)
        {
            return Err(Error::UnknownModel {
                given: quote(given),
                served: model.public_name().to_owned(),
            });
        }
        match &self.dimensions {
            Some(given) if *given != model.dimensions.to_string() => Err(Invalid::Dimensions {
                given: given.clone(),
                served: model.dimensions,
            }
            .into()),
            None | Some(_) => Ok(()),
        }
    }
}

fn take(fields: &mut BTreeMap<String, Value>, field: &str) -> Option<Value> {
    fields.remove(field).filter(|value| *value != Value::Null)
}

fn string(
    fields: &mut BTreeMap<String, Value>,
    field: &'static str,
) -> Result<Option<String>, Invalid> {
    let Some(value) = take(fields, field) else {
        return Ok(None);
    };
    let found = value.kind();
    match value {
        Value::String(text) => Ok(Some(text)),
        Value::Null | Value::Boolean | Value::Number | Value::List(_) | Value::Object(_) => {
            Err(Invalid::Kind {
                field,
                found,
                expected: "a string",
            })
        }
    }
}

fn input_texts(input: Value, limit: usize) -> Result<Vec<String>, Error> {
    let expected = "a string or a list of strings";
    match input {
        Value::List(list) if holds_tokens(&list) => Err(Invalid::Tokens { field: INPUT }.into()),
        Value::List(list) => texts(INPUT, Value::List(list), expected, limit),
        Value::Null | Value::Boolean | Value::Number | Value::String(_) | Value::Object(_) => {
            Ok(vec![one_text(INPUT, input, expected)?])
        }
    }
}

/// One text as tokens is a list of numbers, several are a list of such lists.
fn holds_tokens(list: &List) -> bool {
    let is_number = |value: &Value| *value == Value::Number;
    match list.members.first() {
        Some(Value::List(inner)) => inner.members.first().is_some_and(is_number),
        first => first.is_some_and(is_number),
    }
}

fn encoding_format(fields: &mut BTreeMap<String, Value>) -> Result<EncodingFormat, Invalid> {
    let Some(name) = string(fields, ENCODING_FORMAT)? else {
        return Ok(EncodingFormat::default());
    };
    EncodingFormat::ALL
        .into_iter()
        .find(|format| format.as_str() == name)
        .ok_or_else(|| Invalid::EncodingFormat {
            given: quote(&name),
        })
}

/// The number as it is written: whatever is not written as the model's own number is refused.
fn dimensions(body: &RawValue) -> Result<Option<String>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(borrow)]
        dimensions: Option<&'a RawValue>,
    }
    let Fields { dimensions } = serde_json::from_str(body.get())?;
    Ok(dimensions.map(|value| match Kind::of(value) {
        Kind::Number => value.get().chars().take(40).collect(),
        kind @ (Kind::Null | Kind::Boolean | Kind::String | Kind::List | Kind::Object) => {
            kind.to_string()
        }
    }))
}

#[cfg(test)]
mod tests;
