//! What a call asks of the engine, and how many tokens it may have.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Error;
use model::Outputs;

/// What a call asks for.
#[derive(Debug, Clone)]
pub struct Task {
    /// The texts.
    pub texts: Arc<[String]>,
    /// What each is turned into; the model must give it.
    pub outputs: Outputs,
    /// Largest number of tokens of all texts together, special tokens included. With more the call fails, before any text is
    /// encoded unless it enters the queue in pieces.
    pub most_tokens: usize,
}

/// Dense vectors of texts, however many tokens they have.
impl From<Vec<String>> for Task {
    fn from(texts: Vec<String>) -> Self {
        Self {
            texts: texts.into(),
            outputs: Outputs::DENSE,
            most_tokens: usize::MAX,
        }
    }
}

/// The tokens that a call may still have.
pub(super) struct TokenBudget {
    most: usize,
    spent: AtomicUsize,
}

impl TokenBudget {
    pub fn new(most: usize) -> Self {
        Self {
            most,
            spent: AtomicUsize::new(0),
        }
    }

    /// Spends the tokens of a piece; an error if the call has too many with them.
    pub fn spend(&self, tokens: usize) -> Result<(), Error> {
        let tokens = self.spent.fetch_add(tokens, Ordering::Relaxed) + tokens;
        if tokens > self.most {
            return Err(Error::TooManyTokens { tokens });
        }
        Ok(())
    }
}
