//! The three actions: what may be asked, what is answered, and every way in which it can fail.
//!
//! Owns the contract with the user: names, shapes, limits, and the one public error. Imports [`crate::engine`],
//! [`crate::metrics`] and [`crate::config`]. Knows no transport: over HTTP and in a queue the same input gives the same output and the same
//! words. A text never appears in an error or in the log.

mod code;
mod error;
mod input;
mod invalid;
mod json;
mod limits;
mod model_info;
mod notation;
mod output;
mod perform;
mod request;
mod texts;

pub use code::Code;
pub use error::{Error, Malformed, TooLarge, Unavailable, with_causes};
pub use input::{INPUT, Input};
pub use invalid::Invalid;
pub use json::{Kind, List, Value, quote};
pub use limits::Limits;
pub use model_info::{ModelInfo, Quality};
pub use notation::Notation;
pub use output::Output;
pub use perform::{Health, Loaded, Performed, Phase, Service};
pub use request::{Action, Request};
pub use texts::{one_text, texts};

pub use crate::engine::Call;
