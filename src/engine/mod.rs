//! Texts to vectors for many callers at once: admission, scheduling and the thread that owns the encoder.
//!
//! Owns the bounded queue, the order in which waiting texts run, and the cache of queries. Imports [`model`], [`crate::config`] and
//! [`crate::metrics`], and knows neither actions nor wire formats. Every admitted text is answered exactly once,
//! one text never harms another, and a batch is whatever waits when the encoder becomes free: no text ever waits
//! for a fuller batch.

mod call;
mod distinct;
mod encoded_text;
mod encoder_thread;
#[expect(
    clippy::module_inception,
    reason = "the file is named after the type that it holds"
)]
mod engine;
mod error;
mod gauge;
mod piece;
mod pipeline;
mod plan;
mod query_cache;
mod queue;
mod retry_after;
mod room;
mod schedule;
mod task;
mod tokenization;

pub use call::Call;
pub use encoded_text::{EncodedText, WRITTEN_FORMS, WrittenVectors};
pub use encoder_thread::Encode;
pub use engine::{Embedded, Engine};
pub use error::Error;
pub use gauge::{Counted, Gauge};
pub use queue::EngineStatus;
pub use room::is_query;
pub use schedule::Priority;
pub use task::Task;
