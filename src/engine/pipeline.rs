//! The callers' way through the queue: admission, tokenization, and the wait for the vectors.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::oneshot;

use super::distinct::CountedTexts;
use super::encoded_text::EncodedText;
use super::piece::Piece;
use super::queue::{Entry, Queue};
use super::room::{self, Reservation};
use super::schedule::{Demand, Priority};
use super::task::TokenBudget;
use super::tokenization::{Split, Tokenization};
use super::{Call, Error};
use crate::metrics;
use model::{Encoded, Outputs, Tokenizer, Tokens};

/// Pieces of one call that are in the queue, or ask for room there, at the same time: while one is encoded, the next is split
/// into tokens. Together they are half of the queue, so that a large call never fills it.
const PIECES_AT_ONCE: usize = 2;

/// What all pieces of a call have in common.
#[derive(Clone)]
pub struct CallContext {
    pub outputs: Outputs,
    /// Largest number of tokens of all its texts together.
    pub most_tokens: usize,
    pub priority: Priority,
    pub arrival: Instant,
    pub call: Call,
}

/// Everything between a call and the encoder. Dropping it closes the queue.
pub struct Pipeline {
    queue: Arc<Queue>,
    tokenization: Tokenization,
    metrics: metrics::Engine,
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Pipeline {
    pub fn new(queue: Arc<Queue>, tokenizer: Arc<Tokenizer>, metrics: metrics::Engine) -> Self {
        Self {
            queue,
            tokenization: Tokenization::new(tokenizer),
            metrics,
        }
    }

    /// The queue.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// What has been measured.
    pub fn metrics(&self) -> &metrics::Engine {
        &self.metrics
    }

    /// Encodes texts, whose outputs have their order. What the queue can hold enters it as a whole; more enters in pieces.
    pub async fn encode(
        &self,
        texts: &CountedTexts,
        context: &CallContext,
    ) -> Result<Vec<Arc<EncodedText>>, Error> {
        let CallContext {
            priority,
            arrival,
            call,
            ..
        } = context;
        let pieces = self.queue.pieces(&texts.texts);
        // Before any work, so that rejecting a call costs nothing.
        let room = self.queue.admit(&pieces[0], *priority, call).await?;
        let mut admission = Some(Admission {
            room,
            arrival: *arrival,
        });
        let budget = TokenBudget::new(context.most_tokens);
        let parts = pieces.into_iter().map(|piece| {
            let counts = &texts.counts[piece.range()];
            self.encode_piece(piece, counts, admission.take(), &budget, context)
        });
        let parts: Vec<Vec<Arc<EncodedText>>> = stream::iter(parts)
            .buffered(PIECES_AT_ONCE)
            .try_collect()
            .await?;
        Ok(parts.into_iter().flatten().collect())
    }

    /// Encodes a piece, which waits for room unless it has been admitted.
    async fn encode_piece(
        &self,
        texts: Piece,
        counts: &[usize],
        admission: Option<Admission>,
        budget: &TokenBudget,
        context: &CallContext,
    ) -> Result<Vec<Arc<EncodedText>>, Error> {
        let Admission { room, arrival } = match admission {
            Some(admission) => admission,
            // It is as urgent as a call that arrives when it gets its room.
            None => Admission {
                room: self.queue.wait_for_room(&texts, &context.call).await?,
                arrival: Instant::now(),
            },
        };
        let split = self.tokenization.split(&texts, room).await?;
        self.metrics.tokenized(split.time);
        let lengths: Vec<usize> = split.tokens.iter().map(Tokens::len).collect();
        budget.spend(
            lengths
                .iter()
                .zip(counts)
                .map(|(length, count)| length * count)
                .sum(),
        )?;
        let (entries, replies) = entries(split, &texts, context, |tokens, before| {
            Demand::new(context.priority, tokens, before, arrival)
        });
        self.queue.push(entries)?;
        let encoded = try_join_all(replies.into_iter().map(receive)).await?;
        let texts = encoded.into_iter().zip(lengths);
        Ok(texts
            .map(|(encoded, tokens)| Arc::new(EncodedText::new(encoded, tokens)))
            .collect())
    }
}

/// That a piece may enter the queue.
struct Admission {
    room: Reservation,
    arrival: Instant,
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
