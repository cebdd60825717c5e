//! Where words end, and what must be kept of a word of any length.

use std::sync::OnceLock;

use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::{Model, ModelWrapper, PreTokenizerWrapper};
use unicode_categories::UnicodeCategories;

use super::pieces::Pieces;

/// Between which characters a pre-tokenizer always divides. It ignores how much white space there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundaries {
    /// At white space.
    Space,
    /// At white space and around punctuation.
    SpaceAndPunctuation,
    /// At white space and before the character that stands for it. With `prepended`, each word begins with it.
    SpaceAndMark {
        /// The character.
        mark: char,
        /// Whether it is put before words without it.
        prepended: bool,
    },
}

impl Boundaries {
    /// `None` if it is not known where the pre-tokenizer divides.
    pub fn of(pre_tokenizer: &PreTokenizerWrapper) -> Option<Self> {
        match pre_tokenizer {
            PreTokenizerWrapper::WhitespaceSplit(_) => Some(Self::Space),
            PreTokenizerWrapper::BertPreTokenizer(_) => Some(Self::SpaceAndPunctuation),
            PreTokenizerWrapper::Sequence(sequence) => match sequence.as_ref() {
                [only] => Self::of(only),
                [
                    PreTokenizerWrapper::WhitespaceSplit(_),
                    PreTokenizerWrapper::Metaspace(metaspace),
                ] => Self::with_mark(metaspace),
                _ => None,
            },
            PreTokenizerWrapper::ByteLevel(_)
            | PreTokenizerWrapper::Delimiter(_)
            | PreTokenizerWrapper::Metaspace(_)
            | PreTokenizerWrapper::Whitespace(_)
            | PreTokenizerWrapper::Split(_)
            | PreTokenizerWrapper::Punctuation(_)
            | PreTokenizerWrapper::Digits(_)
            | PreTokenizerWrapper::UnicodeScripts(_)
            | PreTokenizerWrapper::FixedLength(_) => None,
        }
    }

    fn with_mark(metaspace: &Metaspace) -> Option<Self> {
        let prepended = match metaspace.get_prepend_scheme() {
            PrependScheme::Always => true,
            PrependScheme::Never => false,
            PrependScheme::First => return None,
        };
        metaspace.get_split().then_some(Self::SpaceAndMark {
            mark: metaspace.get_replacement(),
            prepended,
        })
    }

    /// Whether a word ends between two characters, or white space stands there.
    pub fn separate(&self, left: char, right: char) -> bool {
        let space = left.is_whitespace() || right.is_whitespace();
        match self {
            Self::Space => space,
            Self::SpaceAndPunctuation => space || is_punctuation(left) || is_punctuation(right),
            Self::SpaceAndMark { mark, .. } => space || right == *mark,
        }
    }

    /// The last place in `text` where a word ends.
    pub fn last(&self, text: &str) -> Option<usize> {
        let mut letters = text.char_indices().rev().peekable();
        while let Some((index, right)) = letters.next() {
            let (_, left) = letters.peek()?;
            if self.separate(*left, right) {
                return Some(index);
            }
        }
        None
    }

    /// The first place in `text` where the word before it ends, of which `left` is the last character.
    pub fn first(&self, mut left: char, text: &str) -> Option<usize> {
        text.char_indices()
            .find(|(_, right)| self.separate(std::mem::replace(&mut left, *right), *right))
            .map(|(index, _)| index)
    }
}

fn is_punctuation(letter: char) -> bool {
    letter.is_ascii_punctuation() || letter.is_punctuation()
}

/// What a model needs of a word that is longer than a chunk.
pub enum LongWords {
    /// The word is unknown if it has at least so many characters; the others need not be kept.
    Unknown {
        /// Number of characters.
        characters: usize,
    },
    /// The best path is found without keeping the word.
    Unigram(Box<OnceLock<Option<Pieces>>>),
    /// All of it.
    Whole,
}

impl LongWords {
    /// What `model` needs.
    pub fn of(model: &ModelWrapper) -> Self {
        match model {
            ModelWrapper::WordPiece(model) => Self::Unknown {
                characters: model.max_input_chars_per_word.saturating_add(1),
            },
            ModelWrapper::WordLevel(model) => {
                let vocabulary = model.get_vocab();
                let lengths = vocabulary.keys().map(|word| word.chars().count());
                Self::Unknown {
                    characters: lengths.max().unwrap_or(0) + 1,
                }
            }
            ModelWrapper::Unigram(_) => Self::Unigram(Box::default()),
            ModelWrapper::BPE(_) => Self::Whole,
        }
    }

    /// The pieces of a unigram model. They are sorted when they are needed for the first time.
    pub fn pieces(&self, model: &ModelWrapper) -> Option<&Pieces> {
        match (self, model) {
            (Self::Unigram(pieces), ModelWrapper::Unigram(model)) => {
                pieces.get_or_init(|| Pieces::new(model)).as_ref()
            }
            _ => None,
        }
    }
}
