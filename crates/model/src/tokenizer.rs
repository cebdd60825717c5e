//! Texts to token ids, the same as SentenceTransformers'.
//!
//! Texts are truncated at the model's limit and never padded, whatever `tokenizer.json` says: published files contain
//! settings of the training run (MiniLM's truncates and pads to 128).

use std::num::NonZeroUsize;
use std::path::Path;

use tokenizers::{TruncationDirection, TruncationParams, TruncationStrategy};

use crate::error::Error;

/// Token ids of one text, special tokens included; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens(Vec<u32>);

impl Tokens {
    /// The ids, in order.
    pub fn ids(&self) -> &[u32] {
        &self.0
    }

    /// Number of ids; always above zero.
    #[expect(
        clippy::len_without_is_empty,
        reason = "it would always be false, because tokens are never empty"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// A model's tokenizer.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
}

impl Tokenizer {
    /// Reads `tokenizer.json`. Texts are truncated to `max_tokens` ids; special tokens count, and stay.
    pub fn load(path: &Path, max_tokens: NonZeroUsize) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes(&bytes, max_tokens)
    }

    /// Like [`Tokenizer::load`], from the contents of a `tokenizer.json`.
    pub fn from_bytes(json: &[u8], max_tokens: NonZeroUsize) -> Result<Self, Error> {
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(Error::LoadTokenizer)?;
        inner.with_padding(None);
        inner
            .with_truncation(Some(TruncationParams {
                max_length: max_tokens.get(),
                strategy: TruncationStrategy::LongestFirst,
                direction: TruncationDirection::Right,
                stride: 0,
            }))
            .map_err(Error::LoadTokenizer)?;
        Ok(Self { inner })
    }

    /// The token ids of `text`. The time is proportional to the length of the whole text, even if it is truncated.
    pub fn tokenize(&self, text: &str) -> Result<Tokens, Error> {
        let encoding = self
            .inner
            .encode_fast(text, true)
            .map_err(Error::Tokenize)?;
        if encoding.get_ids().is_empty() {
            return Err(Error::Output {
                what: "no tokens for a text".to_owned(),
            });
        }
        Ok(Tokens(encoding.get_ids().to_vec()))
    }
}
