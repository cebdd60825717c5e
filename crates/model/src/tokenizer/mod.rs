//! Texts to token ids, the same as SentenceTransformers'.
//!
//! Texts are truncated at the model's limit and never padded, whatever `tokenizer.json` says: published files contain
//! settings of the training run (MiniLM's truncates and pads to 128). The memory that a text takes is bounded, whatever its
//! length: `tokenizers` takes hundreds of times the length of what it splits, so a long text is divided before.

mod added_tokens;
#[cfg(any(test, fuzzing))]
mod descriptions;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod long_text;
mod normalization;
mod pieces;
#[cfg(test)]
mod tests;
mod unigram;
mod words;

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tokenizers::models::unigram::Unigram;
use tokenizers::{
    DecoderWrapper, Encoding, NormalizerWrapper, PostProcessor, PostProcessorWrapper,
    PreTokenizerWrapper, TokenizerImpl, TruncationDirection, TruncationParams, TruncationStrategy,
};

use crate::error::Error;
use crate::file;
use long_text::Division;

/// Longer texts are divided into chunks of about as many bytes.
const CHUNK_BYTES: usize = 16 * 1024;
/// Most bytes that are split as a whole because they cannot be divided.
const WHOLE_BYTES: usize = 128 * 1024;
/// Splits with every usable tokenizer: words of several scripts, digits, punctuation, a mark, white space, an unknown character.
const PROBE: &str = "The river, 12 naïve cafe\u{301}s\n  東京 река \u{10FFFD}";

/// Token ids of one text, special tokens included; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens(Vec<u32>);

impl Tokens {
    /// Two tokens of the one id that every vocabulary has.
    pub(crate) fn of_first_id() -> Self {
        Self(vec![0; 2])
    }

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
    /// `None` if texts of this tokenizer cannot be divided.
    division: Option<Division>,
    /// Most ids of a text, without those that the post-processor adds.
    limit: usize,
    chunk_bytes: usize,
    /// Precedes every text; often empty.
    prompt: String,
}

/// A tokenizer of `tokenizers` whose kind of model is known.
type UnigramTokenizer = TokenizerImpl<
    Unigram,
    NormalizerWrapper,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    DecoderWrapper,
>;

/// Why the splitting of a text ends before the text.
enum Stop {
    /// There are as many ids as are asked for.
    Enough,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

fn undivided() -> Error {
    Error::Undivided { limit: WHOLE_BYTES }
}

/// Reads a `tokenizer.json`. `tokenizers` finds out what kind of model a file has by reading all of it into values first, which
/// takes most of the time for a vocabulary of bge-m3's size; its kind of model is therefore tried directly.
fn read(json: &[u8]) -> tokenizers::Result<tokenizers::Tokenizer> {
    UnigramTokenizer::from_bytes(json)
        .map(Into::into)
        .or_else(|_| tokenizers::Tokenizer::from_bytes(json))
}

impl Tokenizer {
    /// Reads `tokenizer.json`. Texts are truncated to `max_tokens` ids; special tokens count, and stay.
    pub fn load(path: &Path, max_tokens: NonZeroUsize) -> Result<Self, Error> {
        Self::from_bytes(&file::read(path)?, max_tokens)
    }

    /// Like [`Tokenizer::load`], from the contents of a `tokenizer.json`. An error if it does not split a simple text.
    pub fn from_bytes(json: &[u8], max_tokens: NonZeroUsize) -> Result<Self, Error> {
        Self::with_chunks(json, max_tokens, CHUNK_BYTES)
    }

    fn with_chunks(
        json: &[u8],
        max_tokens: NonZeroUsize,
        chunk_bytes: usize,
    ) -> Result<Self, Error> {
        catch_unwind(|| {
            let tokenizer = Self::parse(json, max_tokens, chunk_bytes)?;
            tokenizer.split(PROBE)?;
            Ok(tokenizer)
        })
        .unwrap_or_else(|_| Err(Error::LoadTokenizer("it panics".into())))
    }

    fn parse(json: &[u8], max_tokens: NonZeroUsize, chunk_bytes: usize) -> Result<Self, Error> {
        let mut inner = read(json).map_err(Error::LoadTokenizer)?;
        let special = inner
            .get_post_processor()
            .map_or(0, |processor| processor.added_tokens(false));
        let limit = max_tokens.get().checked_sub(special).ok_or_else(|| {
            Error::LoadTokenizer(
                format!("it adds {special} tokens to texts of at most {max_tokens}").into(),
            )
        })?;
        inner.with_padding(None);
        inner
            .with_truncation(Some(TruncationParams {
                max_length: max_tokens.get(),
                strategy: TruncationStrategy::LongestFirst,
                direction: TruncationDirection::Right,
                stride: 0,
            }))
            .map_err(Error::LoadTokenizer)?;
        Ok(Self {
            division: Division::new(&inner, chunk_bytes)?,
            inner,
            limit,
            chunk_bytes,
            prompt: String::new(),
        })
    }

    /// Puts `prompt` before every text.
    pub fn with_prompt(self, prompt: String) -> Self {
        Self { prompt, ..self }
    }

    /// The token ids of the prompt and `text` as one text. The time is at most proportional to the length of the whole text, the memory bounded.
    /// An error if the text cannot be divided and is too long to be split as a whole.
    pub fn tokenize(&self, text: &str) -> Result<Tokens, Error> {
        let text = match self.prompt.as_str() {
            "" => Cow::Borrowed(text),
            prompt => Cow::Owned([prompt, text].concat()),
        };
        catch_unwind(AssertUnwindSafe(|| self.split(&text)))
            .unwrap_or_else(|_| Err(Error::Tokenize("the tokenizer panicked".into())))
    }

    /// The token with the highest id, added tokens included.
    pub fn last_token(&self) -> Option<(String, u32)> {
        let vocabulary = self.inner.get_vocab(true);
        vocabulary.into_iter().max_by_key(|(_, id)| *id)
    }

    fn split(&self, text: &str) -> Result<Tokens, Error> {
        let encoding = match &self.division {
            Some(division) if text.len() > self.chunk_bytes => {
                let ids = division.ids(&self.inner, text, self.limit)?;
                let ids = ids
                    .into_iter()
                    .map(|id| (id, String::new(), (0, 0), None, 0));
                self.inner
                    .post_process(ids.collect::<Encoding>(), None, true)
            }
            None if text.len() > WHOLE_BYTES => return Err(undivided()),
            _ => self.inner.encode_fast(text, true),
        }
        .map_err(Error::Tokenize)?;
        if encoding.get_ids().is_empty() {
            return Err(Error::Output {
                what: "no tokens for a text".to_owned(),
            });
        }
        Ok(Tokens(encoding.get_ids().to_vec()))
    }
}
