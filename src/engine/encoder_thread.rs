//! The thread that owns the encoder. It takes batches, runs them and answers their callers until the queue is closed and
//! empty.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::Error;
use super::queue::{Entry, Queue};
use crate::metrics;
use model::{self, Embedding, Encoder, Tokens};

/// Encodes a batch of texts. The interface between the engine and the model.
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
    // If this thread panics, no caller may wait for it forever.
    let _guard = AbandonOnExit(queue);
    while let Some(mut batch) = queue.take() {
        let begin = Instant::now();
        let tokens = batch.iter().map(|entry| entry.tokens.len()).sum();
        // A text takes no room in the queue while it runs.
        batch.iter_mut().for_each(|entry| entry.room = None);
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

fn encode<E: Encode>(encoder: &mut E, batch: &[Entry]) -> Result<Vec<Embedding>, Error> {
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

fn answer(batch: Vec<Entry>, outcome: Result<Vec<Embedding>, Error>) {
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
