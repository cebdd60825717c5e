//! How vectors are encoded in an answer, and what that costs.

use serde::Serialize;
use utoipa::ToSchema;

use super::Invalid;
use super::fields::Fields;
use super::json::quote;

const ENCODING_FORMAT: &str = "encoding_format";

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
    /// Every format.
    pub(super) const ALL: [Self; 2] = [Self::Float, Self::Base64];

    /// The format as it is written in a request.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Base64 => "base64",
        }
    }

    /// Takes the format out of the fields of a request.
    pub(super) fn take(fields: &mut Fields) -> Result<Self, Invalid> {
        let Some(name) = fields.take_string(ENCODING_FORMAT)? else {
            return Ok(Self::default());
        };
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| Invalid::EncodingFormat {
                given: quote(&name),
            })
    }

    /// Bytes of JSON that a float of a unit vector takes, separator included, in tenths: for numbers the measured mean.
    pub(super) const fn tenths_of_bytes_per_float(self) -> usize {
        match self {
            Self::Float => 127,
            Self::Base64 => 54,
        }
    }
}
