//! The callers' side: admission to the queue, tokenization, and the wait for the vectors.

use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::oneshot;

use super::encoder_thread::{self, Encode};
use super::piece::Piece;
use super::queue::{EngineStatus, Entry, Queue};
use super::room::{self, Reservation};
use super::schedule::{Demand, Priority};
use super::task::{Task, TokenBudget};
use super::tokenization::{Split, Tokenization};
use super::{Call, Error};
use crate::config;
use crate::metrics;
use model::{Embedding, Encoded, Outputs, Tokenizer, Tokens};

/// Name of the thread that owns the encoder.
const THREAD_NAME: &str = "encoder";
/// Pieces of one call that are in the queue, or ask for room there, at the same time: while one is encoded, the next is split
/// into tokens. Together they are half of the queue, so that a large call never fills it.
const PIECES_AT_ONCE: usize = 2;

/// The outputs of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// One for each text, in the order of the texts.
    pub encoded: Vec<Encoded>,
    /// Tokens of all texts together, special tokens included.
    pub tokens: usize,
    /// How long the call was in the queue before its first text left it.
    pub waited: Duration,
}

impl Embedded {
    /// Floats of all vectors together.
    pub fn floats(&self) -> usize {
        let floats = self.encoded.iter().map(|encoded| {
            let dense = encoded.dense.as_ref().map_or(0, Vec::len);
            dense + encoded.colbert.as_ref().map_or(0, |rows| rows.len())
        });
        floats.sum()
    }

    /// The dense vectors of a call that asked for them.
    pub fn into_dense(self) -> Vec<Embedding> {
        let dense = self.encoded.into_iter().map(|encoded| encoded.dense);
        dense.map(Option::unwrap_or_default).collect()
    }
}

/// A handle on the engine; clones share it. The engine stops with its last handle.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    queue: Arc<Queue>,
    tokenization: Tokenization,
    metrics: metrics::Engine,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Engine {
    /// Starts the thread that owns `encoder`.
    pub fn spawn<E: Encode>(
        encoder: E,
        tokenizer: Arc<Tokenizer>,
        settings: &config::Engine,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(
            settings.queue_texts.get(),
            settings.batch_tokens.get(),
        ));
        let metrics = metrics::Engine::default();
        Builder::new().name(THREAD_NAME.to_owned()).spawn({
            let (queue, metrics) = (Arc::clone(&queue), metrics.clone());
            move || encoder_thread::run(encoder, &queue, &metrics)
        })?;
        Ok(Self {
            inner: Arc::new(Inner {
                queue,
                tokenization: Tokenization::new(tokenizer),
                metrics,
            }),
        })
    }

    /// Returns the outputs of a task's texts, in their order. A call is admitted or rejected at once, and one in the background
    /// waits for room. What the queue can hold enters it as a whole; a larger call enters in pieces. `call` learns when the
    /// first text starts. Cancelling `call`, or dropping the future, removes the texts that have not started.
    pub async fn embed(
        &self,
        task: impl Into<Task>,
        priority: Priority,
        call: Call,
    ) -> Result<Embedded, Error> {
        let task = task.into();
        let arrival = Instant::now();
        let queue = &self.inner.queue;
        let pieces = queue.pieces(&task.texts);
        // Before any work, so that rejecting a call costs nothing.
        let room = queue.admit(&pieces[0], priority, &call).await?;
        let mut admission = Some(Admission { room, arrival });
        let context = CallContext {
            outputs: task.outputs,
            budget: TokenBudget::new(task.most_tokens),
            priority,
            call,
        };
        let parts = pieces
            .into_iter()
            .map(|piece| self.embed_piece(piece, admission.take(), &context));
        let parts: Vec<Part> = stream::iter(parts)
            .buffered(PIECES_AT_ONCE)
            .try_collect()
            .await?;
        let waited = context.call.started().map_or(Duration::ZERO, |start| {
            start.saturating_duration_since(arrival)
        });
        self.inner.metrics.waited(waited);
        Ok(Embedded {
            tokens: parts.iter().map(|part| part.tokens).sum(),
            encoded: parts.into_iter().flat_map(|part| part.encoded).collect(),
            waited,
        })
    }

    /// The outputs of a piece, which waits for room unless it has been admitted.
    async fn embed_piece(
        &self,
        texts: Piece,
        admission: Option<Admission>,
        context: &CallContext,
    ) -> Result<Part, Error> {
        let Inner {
            queue,
            tokenization,
            metrics,
        } = &*self.inner;
        let Admission { room, arrival } = match admission {
            Some(admission) => admission,
            // It is as urgent as a call that arrives when it gets its room.
            None => Admission {
                room: queue.wait_for_room(&texts, &context.call).await?,
                arrival: Instant::now(),
            },
        };
        let split = tokenization.split(&texts, room).await?;
        metrics.tokenized(split.time);
        let tokens = split.tokens.iter().map(Tokens::len).sum();
        context.budget.spend(tokens)?;
        let (entries, replies) = entries(split, &texts, context, |tokens, before| {
            Demand::new(context.priority, tokens, before, arrival)
        });
        queue.push(entries)?;
        Ok(Part {
            encoded: try_join_all(replies.into_iter().map(receive)).await?,
            tokens,
        })
    }

    /// What the engine is doing.
    pub fn status(&self) -> EngineStatus {
        self.inner.queue.status()
    }

    /// How long everything that is admitted is likely to take; whole seconds, at least one.
    pub fn retry_after(&self) -> Duration {
        self.inner.queue.retry_after(Priority::Bulk)
    }

    /// What has been measured, with what the engine is doing now.
    pub fn metrics(&self) -> &metrics::Engine {
        let status = self.status();
        self.inner.metrics.set_load(
            status.queued_texts,
            status.queued_calls,
            status.running_texts,
        );
        &self.inner.metrics
    }
}

/// That a piece may enter the queue.
struct Admission {
    room: Reservation,
    arrival: Instant,
}

/// What all pieces of a call have in common.
struct CallContext {
    outputs: Outputs,
    budget: TokenBudget,
    priority: Priority,
    call: Call,
}

/// The outputs of a piece, and the tokens of its texts.
struct Part {
    encoded: Vec<Encoded>,
    tokens: usize,
}

type Reply = oneshot::Receiver<Result<Encoded, Error>>;

/// The queue's entries of a piece. `demand` gets the tokens of a text and those of all texts before it.
fn entries(
    split: Split,
    texts: &[String],
    context: &CallContext,
    demand: impl Fn(usize, usize) -> Demand,
) -> (Vec<Entry>, Vec<Reply>) {
    let Split {
        tokens, mut room, ..
    } = split;
    let mut before = 0;
    tokens
        .into_iter()
        .zip(texts)
        .map(|(tokens, text)| {
            let (reply, receiver) = oneshot::channel();
            let demand = demand(tokens.len(), before);
            before += tokens.len();
            // A text alone in its piece may be larger than the room, and then it has all of it.
            let units = room::units(text).min(room.num_permits());
            let entry = Entry {
                tokens,
                outputs: context.outputs,
                demand,
                call: context.call.clone(),
                reply,
                room: room.split(units),
            };
            (entry, receiver)
        })
        .unzip()
}

async fn receive(reply: Reply) -> Result<Encoded, Error> {
    reply.await.unwrap_or(Err(Error::Stopped))
}
