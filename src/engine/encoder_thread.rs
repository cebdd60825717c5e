//! The thread that owns the encoder. It takes batches, runs them and answers their callers until the queue is closed and
//! empty.
//!
//! One text never harms another: only a text that fails alone has failed. The texts of a failed batch, and a text whose
//! vector is missing in it, go back into the queue to run alone. The scheduler treats them as before: they keep their class and
//! their deadlines, so a list's texts that run again hold up no query.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::Error;
use super::queue::{Entry, Queue};
use crate::metrics;
use model::{self, BatchLayout, Encoded, Encoder, Text};

/// A text's outputs, or why it has none.
type Row = Result<Encoded, Error>;

/// Encodes a batch of texts. The interface between the engine and the model.
pub trait Encode: Send + 'static {
    /// One result for each text of `batch`, in its order; an error if the batch failed as a whole.
    fn encode(
        &mut self,
        batch: &[Text<'_>],
    ) -> Result<Vec<Result<Encoded, model::Error>>, model::Error>;

    /// How a batch is computed, which decides what it costs.
    fn layout(&self) -> BatchLayout;
}

impl Encode for Encoder {
    fn encode(
        &mut self,
        batch: &[Text<'_>],
    ) -> Result<Vec<Result<Encoded, model::Error>>, model::Error> {
        self.encode_each(batch)
    }

    fn layout(&self) -> BatchLayout {
        Encoder::layout(self)
    }
}

/// Runs until `queue` is closed and empty.
pub(super) fn run<E: Encode>(mut encoder: E, queue: &Arc<Queue>, metrics: &metrics::Engine) {
    // If this thread panics, no caller may wait for it forever.
    let _guard = AbandonOnExit(queue);
    while let Some(mut batch) = queue.take() {
        let begin = Instant::now();
        let tokens = batch.iter().map(|entry| entry.tokens.len()).sum();
        // A text takes no room in the queue while it runs.
        batch.iter_mut().for_each(|entry| entry.room = None);
        let rows = encode(&mut encoder, &batch);
        let time = begin.elapsed();
        metrics.ran(batch.len(), tokens, time);
        // A pass without any vector says nothing about the cost of a token.
        let cost = rows.iter().any(Result::is_ok).then_some((tokens, time));
        let (answers, again) = settle(batch, rows);
        queue.put_back(again);
        queue.done(cost);
        for (reply, row) in answers {
            // It fails only if the caller has dropped its future meanwhile.
            let _ = reply.send(row);
        }
    }
}

struct AbandonOnExit<'a>(&'a Queue);

impl Drop for AbandonOnExit<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// One row for each text; of a batch that failed as a whole, its error for each.
fn encode<E: Encode>(encoder: &mut E, batch: &[Entry]) -> Vec<Row> {
    let texts = batch.iter().map(|entry| Text {
        tokens: &entry.tokens,
        outputs: entry.outputs,
    });
    let texts: Vec<Text<'_>> = texts.collect();
    // Between runs an encoder's only state is its weights, which no run changes: it stays usable after a panic.
    let outcome = catch_unwind(AssertUnwindSafe(|| encoder.encode(&texts)));
    let failed = |error: Error| vec![Err(error); texts.len()];
    match outcome {
        Ok(Ok(rows)) if rows.len() == texts.len() => rows
            .into_iter()
            .map(|row| row.map_err(Error::from))
            .collect(),
        Ok(Ok(rows)) => failed(Error::from(model::Error::Output {
            what: format!("{} vectors for {} texts", rows.len(), texts.len()),
        })),
        Ok(Err(error)) => failed(error.into()),
        Err(panic) => failed(Error::Panicked {
            message: message(panic.as_ref()).into(),
        }),
    }
}

type Answer = (oneshot::Sender<Row>, Row);

/// The answers of a batch, and the texts that must run again, alone.
fn settle(batch: Vec<Entry>, rows: Vec<Row>) -> (Vec<Answer>, Vec<Entry>) {
    let texts = batch.len();
    let mut answers = Vec::with_capacity(texts);
    let mut again = Vec::new();
    let mut cause = None;
    for (entry, row) in batch.into_iter().zip(rows) {
        match row {
            Err(error) if texts > 1 => {
                again.push(entry);
                cause = Some(error);
            }
            row => answers.push((entry.reply, row)),
        }
    }
    if let Some(cause) = cause {
        log::warn!(
            "{} texts of a batch of {texts} have no vector; each runs again alone cause={cause:?}",
            again.len(),
        );
    }
    (answers, again)
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
