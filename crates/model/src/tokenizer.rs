//! Texts to token ids, exactly as SentenceTransformer makes them.
//!
//! Truncation follows the model's own limit and padding is off, whatever `tokenizer.json` says: published files carry
//! settings of the training run (MiniLM's truncates at 128 and pads every text to 128).

use std::num::NonZeroUsize;
use std::path::Path;

use tokenizers::{TruncationDirection, TruncationParams, TruncationStrategy};

use super::Error;

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
        reason = "special tokens are always there, so it would always be false"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// A model's tokenizer, shared by all callers.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
}

impl Tokenizer {
    /// Reads `tokenizer.json`; texts are cut to `max_tokens` ids, special tokens included and kept.
    pub fn load(path: &Path, max_tokens: NonZeroUsize) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes(&bytes, max_tokens)
    }

    /// As [`Tokenizer::load`], from the contents of a `tokenizer.json`.
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

    /// The token ids of `text`. Takes time in proportion to the text's length, also of the part that is cut off.
    pub fn tokenize(&self, text: &str) -> Result<Tokens, Error> {
        let encoding = self
            .inner
            .encode_fast(text, true)
            .map_err(Error::Tokenize)?;
        if encoding.get_ids().is_empty() {
            return Err(Error::Output {
                what: "no token at all for a text".to_owned(),
            });
        }
        Ok(Tokens(encoding.get_ids().to_vec()))
    }
}
