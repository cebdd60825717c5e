//! Texts to tokens, on the callers' side of the queue.
//!
//! A call keeps its room until its texts are really split, also when its caller has gone meanwhile. A query is split at
//! once. Everything else is split on another thread, in steps, and of all lists together one step at a time:
//! however many calls arrive, they take little of the processors and of the memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::Error;
use super::piece::Piece;
use super::room::{QUERY_BYTES, Reservation};
use model::{Tokenizer, Tokens};

/// Bytes of text after which a step ends: some ten milliseconds of work.
const STEP_BYTES: usize = 64 * 1024;

/// The tokenizer, and the turns in which it is used.
pub struct Tokenization {
    tokenizer: Arc<Tokenizer>,
    single_texts: Arc<Semaphore>,
    lists: Arc<Semaphore>,
}

/// The texts of a piece as far as they are split.
pub struct Split {
    /// One for each text so far.
    pub tokens: Vec<Tokens>,
    /// The piece's room.
    pub room: Reservation,
    /// How long it took.
    pub time: Duration,
}

impl Tokenization {
    pub fn new(tokenizer: Arc<Tokenizer>) -> Self {
        let one_at_a_time = || Arc::new(Semaphore::new(1));
        Self {
            tokenizer,
            single_texts: one_at_a_time(),
            lists: one_at_a_time(),
        }
    }

    /// Splits all texts of a piece whose room is reserved. When the future is dropped, only the current step is finished.
    pub async fn split(&self, texts: &Piece, room: Reservation) -> Result<Split, Error> {
        let mut split = Split {
            tokens: Vec::with_capacity(texts.len()),
            room,
            time: Duration::ZERO,
        };
        // Switching to another thread would cost more than it saves the other calls of this one.
        if texts.iter().map(String::len).sum::<usize>() < QUERY_BYTES {
            return split.continued(&self.tokenizer, texts);
        }
        let turns = match texts.len() {
            1 => &self.single_texts,
            _ => &self.lists,
        };
        while split.tokens.len() < texts.len() {
            let turn = Arc::clone(turns).acquire_owned().await;
            let (tokenizer, texts) = (Arc::clone(&self.tokenizer), texts.clone());
            let step = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                split.continued(&tokenizer, &texts)
            });
            split = step.await.map_err(|error| Error::Panicked {
                message: error.to_string().into(),
            })??;
        }
        Ok(split)
    }
}

impl Split {
    /// With some more of the texts.
    fn continued(mut self, tokenizer: &Tokenizer, texts: &[String]) -> Result<Self, Error> {
        let begin = Instant::now();
        let mut bytes = 0;
        for text in &texts[self.tokens.len()..] {
            self.tokens.push(tokenizer.tokenize(text)?);
            bytes += text.len();
            if bytes >= STEP_BYTES {
                break;
            }
        }
        self.time += begin.elapsed();
        Ok(self)
    }
}
