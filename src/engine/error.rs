//! What can go wrong between texts and their vectors.

use std::sync::Arc;
use std::time::Duration;

use model;

/// Why a call got no vectors.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The queue has no room for the call's texts now.
    #[error("the queue is full; try again in {} s", retry_after.as_secs())]
    Overloaded {
        /// When there is likely to be room: whole seconds, at least one.
        retry_after: Duration,
    },
    /// The engine takes no more calls.
    #[error("the engine has stopped")]
    Stopped,
    /// A defect: the encoder or the tokenizer panicked on one of the call's texts.
    #[error("the engine panicked: {message}")]
    Panicked {
        /// What the panic said.
        message: Arc<str>,
    },
    /// The model failed on one of the call's texts.
    #[error("the model failed")]
    Model(#[source] Arc<model::Error>),
}

impl From<model::Error> for Error {
    fn from(error: model::Error) -> Self {
        Self::Model(Arc::new(error))
    }
}
