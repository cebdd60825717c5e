//! How vectors are encoded in an answer, and what that costs.

use serde::Serialize;
use utoipa::ToSchema;

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
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Base64 => "base64",
        }
    }

    /// Bytes of JSON that a float of a unit vector takes, separator included, in tenths: for numbers the measured mean.
    pub(super) const fn tenths_of_bytes_per_float(self) -> usize {
        match self {
            Self::Float => 127,
            Self::Base64 => 54,
        }
    }
}
