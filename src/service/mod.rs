//! What may be asked and what is answered: three actions and OpenAI's form.
//!
//! Owns the contract with the user: one request type, parsed once, the limits, the answers, and the one public error.
//! Imports [`crate::engine`], [`crate::metrics`] and [`crate::config`]. Knows no transport: over HTTP and in a queue the
//! same input gives the same output and the same words. A text never appears in an error or in the log.

mod action;
mod answer;
mod code;
mod encoding_format;
mod error;
mod fields;
mod invalid;
mod json;
mod model_info;
pub mod openai;
mod output;
mod priority;
mod request;
mod request_limits;
mod result_size;
#[expect(
    clippy::module_inception,
    reason = "the file is named after the type that it holds"
)]
mod service;
mod texts;
mod vector;

pub use action::Action;
pub use code::Code;
pub use encoding_format::EncodingFormat;
pub use error::{Error, Malformed, TooLarge, Unavailable, with_causes};
pub use invalid::Invalid;
pub use json::{JsonKind, quote};
pub use model_info::{ModelInfo, Quality};
pub use output::{Output, QueryOutput};
pub use request::{EmbedRequest, INPUT, Input, Parsed, Request};
pub use request_limits::RequestLimits;
pub use service::{Health, Loaded, Performed, Phase, Service};
pub use texts::Texts;

pub use crate::engine::{Call, Counted, Gauge};
