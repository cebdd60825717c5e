//! Texts to vectors for many callers at once: admission, scheduling and the thread that owns the encoder.
//!
//! Owns the bounded queue and the order in which waiting texts go. Imports [`model`], [`crate::config`] and
//! [`crate::metrics`], and knows neither actions nor wire formats. Every admitted text leaves the queue exactly once, every caller gets exactly
//! one answer, and a batch is whatever waits when the encoder becomes free: nothing ever waits for company.

mod begin;
mod error;
mod handle;
mod queue;
mod schedule;
mod worker;

pub use begin::Begin;
pub use error::Error;
pub use handle::{Embedded, Engine};
pub use queue::Status;
pub use schedule::Priority;
pub use worker::Encode;
