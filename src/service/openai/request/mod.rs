//! Parses a body in OpenAI's form into a valid request. Only the model that it names is not checked here.

use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, Type};

use crate::service::fields::Fields;
use crate::service::json::{List, Value, quote};
use crate::service::texts::{Texts, one_text, texts};
use crate::service::{EncodingFormat, Error, Invalid, Malformed, ModelInfo};

const INPUT: &str = "input";
const MODEL: &str = "model";
const ENCODING_FORMAT: &str = "encoding_format";
const DIMENSIONS: &str = "dimensions";

/// A request for vectors.
#[derive(ToSchema)]
#[schema(as = EmbeddingsRequest, example = json!({"input": "What is machine learning?"}))]
pub struct EmbeddingsBody {
    /// One text, or a list of texts. Lists of tokens are refused.
    #[schema(schema_with = input_schema)]
    pub input: (),
    /// The model's repository or its short name; the served model by default. Any other is not found.
    #[schema(example = json!(null))]
    pub model: Option<String>,
    /// Format of the vectors; `float` by default.
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

/// A request to one of OpenAI's routes.
#[derive(Debug)]
pub enum OpenAiRequest {
    /// `/v1/embeddings`
    Embeddings(EmbeddingsRequest),
    /// `/v1/models`
    Models,
    /// `/v1/models/{id}`
    Model(ModelName),
}

impl OpenAiRequest {
    /// Parses the body of a request to `route`, which errors call `part`; a list may hold `limit` texts.
    pub(in crate::service) fn on_route(
        route: &str,
        part: &'static str,
        body: Option<Value>,
        limit: usize,
    ) -> Result<Self, Error> {
        match route {
            "/v1/embeddings" => {
                let body = body.ok_or(Invalid::Missing { field: part })?;
                EmbeddingsRequest::from_value(body, part, limit).map(Self::Embeddings)
            }
            "/v1/models" => Ok(Self::Models),
            _ => match route.strip_prefix("/v1/models/") {
                Some(name) => Ok(Self::Model(ModelName::decoded(name))),
                None => Err(Error::NotFound),
            },
        }
    }

    /// The texts to embed.
    pub fn texts(&self) -> Option<&Texts> {
        match self {
            Self::Embeddings(request) => Some(&request.texts),
            Self::Models | Self::Model(_) => None,
        }
    }
}

/// The name of a model as a request gives it.
#[derive(Debug)]
pub struct ModelName(String);

impl ModelName {
    /// The name in a path, in which clients may encode it.
    pub fn decoded(path: &str) -> Self {
        Self(percent_decode_str(path).decode_utf8_lossy().into_owned())
    }

    /// Rejects any name that is not the model's.
    pub fn check(&self, model: &ModelInfo) -> Result<(), Error> {
        if model.is_called(&self.0) {
            return Ok(());
        }
        Err(Error::UnknownModel {
            given: quote(&self.0),
            served: model.public_name().to_owned(),
        })
    }
}

/// A valid request for vectors: at least one text, none blank, no more than the limit.
#[derive(Debug)]
pub struct EmbeddingsRequest {
    /// The texts.
    pub(in crate::service) texts: Texts,
    /// How their vectors are written.
    pub(in crate::service) encoding_format: EncodingFormat,
    model: Option<ModelName>,
    dimensions: Option<Value>,
}

impl EmbeddingsRequest {
    /// Parses a body that errors call `part`; a list may hold `limit` texts. Fields that are not known are ignored, and
    /// `null` counts as absent.
    pub fn parse(body: &RawValue, part: &'static str, limit: usize) -> Result<Self, Error> {
        let value = Value::read(body, limit).map_err(Malformed::json(part))?;
        Self::from_value(value, part, limit)
    }

    fn from_value(body: Value, part: &'static str, limit: usize) -> Result<Self, Error> {
        Self::from_fields(Fields::of(body, part)?, limit)
    }

    /// Parses the fields of a body; a list may hold `limit` texts.
    pub(in crate::service) fn from_fields(mut fields: Fields, limit: usize) -> Result<Self, Error> {
        let input = fields
            .take(INPUT)
            .ok_or(Invalid::Missing { field: INPUT })?;
        Ok(Self {
            texts: input_texts(input, limit)?,
            encoding_format: encoding_format(&mut fields)?,
            model: fields.take_string(MODEL)?.map(ModelName),
            dimensions: fields.take(DIMENSIONS),
        })
    }

    /// Rejects parameters that only another model supports.
    pub fn check(&self, model: &ModelInfo) -> Result<(), Error> {
        if let Some(name) = &self.model {
            name.check(model)?;
        }
        let Some(given) = &self.dimensions else {
            return Ok(());
        };
        let served = model.dimensions;
        let given = match given {
            Value::Number(number) if number.as_u64() == Some(served as u64) => return Ok(()),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Boolean | Value::String(_) | Value::List(_) | Value::Object(_) => {
                given.kind().to_string()
            }
        };
        Err(Invalid::Dimensions { given, served }.into())
    }
}

fn input_texts(input: Value, limit: usize) -> Result<Texts, Error> {
    let expected = "a string or a list of strings";
    match input {
        Value::List(list) if holds_tokens(&list) => Err(Invalid::Tokens { field: INPUT }.into()),
        Value::List(list) => texts(INPUT, Value::List(list), expected, limit),
        Value::Null | Value::Boolean | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Ok(one_text(INPUT, input, expected)?)
        }
    }
}

/// One tokenized text is a list of numbers, several are a list of such lists.
fn holds_tokens(list: &List) -> bool {
    let is_number = |value: &Value| matches!(value, Value::Number(_));
    match list.members.first() {
        Some(Value::List(inner)) => inner.members.first().is_some_and(is_number),
        first => first.is_some_and(is_number),
    }
}

fn encoding_format(fields: &mut Fields) -> Result<EncodingFormat, Invalid> {
    let Some(name) = fields.take_string(ENCODING_FORMAT)? else {
        return Ok(EncodingFormat::default());
    };
    EncodingFormat::ALL
        .into_iter()
        .find(|format| format.as_str() == name)
        .ok_or_else(|| Invalid::EncodingFormat {
            given: quote(&name),
        })
}

#[cfg(test)]
mod tests;
