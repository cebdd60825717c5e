//! The thread that owns the encoder: it takes a batch, runs it and answers its callers, until the queue is closed and
//! empty.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::Error;
use super::queue::{Entry, Queue};
use crate::metrics;
use model::{self, Embedding, Encoder, Tokens};

/// Turns a batch of texts into vectors. The seam between the engine and the model.
pub trait Encode: Send + 'static {
    /// One vector for each text of `batch`, in its order.
    fn encode(&mut self, batch: &[&Tokens]) -> Result<Vec<Embedding>, model::Error>;
}

impl Encode for Encoder {
    fn encode(&mut self, batch: &[&Tokens]) -> Result<Vec<Embedding>, model::Error> {
        Self::encode(self, batch)
    }
}

/// Runs until `queue` is closed and empty. When a batch fails or panics, only its own callers get an error.
pub(super) fn run<E: Encode>(mut encoder: E, queue: &Arc<Queue>, metrics: &metrics::Engine) {
    // If this thread ends in any other way, no caller may wait for it forever.
    let _guard = AbandonOnExit(queue);
    while let Some(batch) = queue.take() {
        let begin = Instant::now();
        let tokens = batch.iter().map(|entry| entry.tokens.len()).sum();
        let batch = batch.into_iter().map(Running::from).collect::<Vec<_>>();
        let outcome = encode(&mut encoder, &batch);
        let time = begin.elapsed();
        queue.done(tokens, time);
        metrics.ran(batch.len(), tokens, time);
        answer(batch, outcome);
    }
}

struct AbandonOnExit<'a>(&'a Queue);

impl Drop for AbandonOnExit<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// An entry whose room in the queue is free again.
struct Running {
    tokens: Tokens,
    reply: tokio::sync::oneshot::Sender<Result<Embedding, Error>>,
}

impl From<Entry> for Running {
    fn from(entry: Entry) -> Self {
        drop(entry.room);
        Self {
            tokens: entry.tokens,
            reply: entry.reply,
        }
    }
}

fn encode<E: Encode>(encoder: &mut E, batch: &[Running]) -> Result<Vec<Embedding>, Error> {
    let rows: Vec<&Tokens> = batch.iter().map(|text| &text.tokens).collect();
    // Between runs an encoder's only state is its weights, which no run changes: it stays usable after a panic.
    let embeddings = catch_unwind(AssertUnwindSafe(|| encoder.encode(&rows)))
        .map_err(|panic| Error::Panicked {
            message: message(panic.as_ref()).into(),
        })?
        .map_err(|error| Error::Model(Arc::new(error)))?;
    if embeddings.len() == rows.len() {
        Ok(embeddings)
    } else {
        Err(Error::Model(Arc::new(model::Error::Output {
            what: format!("{} vectors for {} texts", embeddings.len(), rows.len()),
        })))
    }
}

fn answer(batch: Vec<Running>, outcome: Result<Vec<Embedding>, Error>) {
    // A send fails only if the caller has dropped its future meanwhile.
    match outcome {
        Ok(embeddings) => {
            for (text, embedding) in batch.into_iter().zip(embeddings) {
                let _ = text.reply.send(Ok(embedding));
            }
        }
        Err(error) => {
            for text in batch {
                let _ = text.reply.send(Err(error.clone()));
            }
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
