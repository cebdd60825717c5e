//! The first tokens of a text of any length, without splitting the whole text.
//!
//! The ids are those that `tokenizers` gives for the whole text. The text flows through the same steps, a chunk at a time:
//! added tokens, normalization, words, model. Each step passes on what no later character can change, and keeps the rest,
//! which is bounded.

use tokenizers::{
    AddedToken, Model, NormalizedString, Normalizer, OffsetType, PreTokenizedString, PreTokenizer,
    TruncationDirection,
};

use super::added_tokens::AddedTokens;
use super::normalization::Normalization;
use super::unigram::Word;
use super::words::{Boundaries, LongWords};
use super::{Stop, WHOLE_BYTES, undivided};
use crate::error::Error;

/// How the texts of a tokenizer are divided.
pub struct Division {
    added: AddedTokens,
    /// Those that are looked for after normalization.
    normalized_added: AddedTokens,
    normalization: Normalization,
    boundaries: Boundaries,
    long_words: LongWords,
    chunk_bytes: usize,
}

impl Division {
    /// `None` if a part of the tokenizer is not known well enough. Chunks have about `chunk_bytes`.
    pub fn new(
        tokenizer: &tokenizers::Tokenizer,
        chunk_bytes: usize,
    ) -> Result<Option<Self>, Error> {
        let mut added = Vec::new();
        let mut normalized_added = Vec::new();
        for (id, token) in tokenizer.get_added_tokens_decoder() {
            if token.normalized {
                normalized_added.push((id, normalized(tokenizer, token)?));
            } else {
                added.push((id, token));
            }
        }
        let spaced = |(_, token): &(u32, AddedToken)| token.content.contains(char::is_whitespace);
        if normalized_added.iter().any(spaced) {
            return Ok(None);
        }
        let parts = (
            AddedTokens::new(added),
            AddedTokens::new(normalized_added),
            Normalization::new(tokenizer.get_normalizer(), chunk_bytes),
            tokenizer.get_pre_tokenizer().and_then(Boundaries::of),
        );
        let (Some(added), Some(normalized_added), Some(normalization), Some(boundaries)) = parts
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            added,
            normalized_added,
            normalization,
            boundaries,
            long_words: LongWords::of(tokenizer.get_model()),
            chunk_bytes,
        }))
    }

    /// The first `limit` ids of a text, without those that the post-processor adds.
    pub fn ids(
        &self,
        tokenizer: &tokenizers::Tokenizer,
        text: &str,
        limit: usize,
    ) -> Result<Vec<u32>, Error> {
        let mut splitting = Splitting {
            division: self,
            tokenizer,
            limit,
            ids: Vec::new(),
            unsearched: String::new(),
            words: String::new(),
            long_word: None,
        };
        match splitting.text(text) {
            Ok(()) | Err(Stop::Enough) => {}
            Err(Stop::Failed(error)) => return Err(error),
        }
        splitting.ids.truncate(limit);
        Ok(splitting.ids)
    }
}

fn normalized(tokenizer: &tokenizers::Tokenizer, token: AddedToken) -> Result<AddedToken, Error> {
    let mut content = NormalizedString::from(token.content.as_str());
    if let Some(normalizer) = tokenizer.get_normalizer() {
        normalizer
            .normalize(&mut content)
            .map_err(Error::LoadTokenizer)?;
    }
    Ok(AddedToken {
        content: content.get().to_owned(),
        ..token
    })
}

/// A text that is being split.
struct Splitting<'a> {
    division: &'a Division,
    tokenizer: &'a tokenizers::Tokenizer,
    limit: usize,
    ids: Vec<u32>,
    /// Normalized text in which an added token may begin that is not yet complete.
    unsearched: String,
    /// Normalized text whose last word may not be complete. It begins with a word.
    words: String,
    /// The word that is longer than a chunk, and its last character so far. Then `words` is empty.
    long_word: Option<(Word<'a>, char)>,
}

impl Splitting<'_> {
    fn text(&mut self, text: &str) -> Result<(), Stop> {
        let division = self.division;
        let mut from = 0;
        for found in division.added.matches(text) {
            if from < found.start {
                self.segment(&text[from..found.start])?;
            }
            self.push_id(found.id)?;
            from = found.end;
        }
        self.segment(&text[from..])
    }

    /// A part of the text between added tokens.
    fn segment(&mut self, segment: &str) -> Result<(), Stop> {
        let division = self.division;
        division.normalization.apply(segment, &mut |chunk| {
            self.unsearched.push_str(chunk);
            self.search(false)
        })?;
        self.search(true)?;
        self.end_words()
    }

    /// Looks for added tokens in normalized text. White space around them is of no account.
    fn search(&mut self, last: bool) -> Result<(), Stop> {
        let added = &self.division.normalized_added;
        let text = std::mem::take(&mut self.unsearched);
        let undecided = if last {
            0
        } else {
            added.longest().saturating_sub(1)
        };
        let decided = text.floor_char_boundary(text.len().saturating_sub(undecided));
        let mut from = 0;
        while let Some((found, _)) = added
            .find(&text, from)
            .filter(|(found, _)| found.start < decided)
        {
            self.push_words(&text[from..found.start])?;
            self.end_words()?;
            self.push_id(found.id)?;
            from = found.end;
        }
        if from < decided {
            self.push_words(&text[from..decided])?;
            from = decided;
        }
        self.unsearched.push_str(&text[from..]);
        Ok(())
    }

    fn push_id(&mut self, id: u32) -> Result<(), Stop> {
        self.ids.push(id);
        self.check_enough()
    }

    fn check_enough(&self) -> Result<(), Stop> {
        if self.ids.len() < self.limit {
            return Ok(());
        }
        Err(Stop::Enough)
    }

    fn push_words(&mut self, mut text: &str) -> Result<(), Stop> {
        while !text.is_empty() {
            // Normalization may have made a chunk many times as long.
            let (part, rest) = text.split_at(text.ceil_char_boundary(self.division.chunk_bytes));
            self.push_part(part)?;
            text = rest;
        }
        Ok(())
    }

    fn push_part(&mut self, part: &str) -> Result<(), Stop> {
        let boundaries = self.division.boundaries;
        let mut part = part;
        if let Some((_, left)) = &self.long_word {
            let end = boundaries.first(*left, part);
            let (rest_of_word, rest) = part.split_at(end.unwrap_or(part.len()));
            self.push_long_word(rest_of_word)?;
            if end.is_none() {
                return Ok(());
            }
            self.end_words()?;
            part = rest;
        }
        self.words.push_str(part);
        if self.words.len() < self.division.chunk_bytes {
            return Ok(());
        }
        if let Some(end) = boundaries.last(&self.words) {
            let last_word = self.words.split_off(end);
            let words = std::mem::replace(&mut self.words, last_word);
            self.split(&words)?;
        }
        if self.words.len() < self.division.chunk_bytes {
            return Ok(());
        }
        self.shorten_word()
    }

    /// `words` is one word that is longer than a chunk.
    fn shorten_word(&mut self) -> Result<(), Stop> {
        let division = self.division;
        if let LongWords::Unknown { characters } = division.long_words
            && let Some((end, _)) = self.words.char_indices().nth(characters)
        {
            self.words.truncate(end);
            return Ok(());
        }
        if let Some(pieces) = division.long_words.pieces(self.tokenizer.get_model()) {
            let mut word = Word::new(pieces, self.limit - self.ids.len());
            let text = std::mem::take(&mut self.words);
            let first = text.chars().next().unwrap_or_default();
            if let Boundaries::SpaceAndMark {
                mark,
                prepended: true,
            } = division.boundaries
                && first != mark
            {
                word.push(mark.encode_utf8(&mut [0; 4]))?;
            }
            self.long_word = Some((word, first));
            return self.push_long_word(&text);
        }
        if self.words.len() > WHOLE_BYTES {
            return Err(undivided().into());
        }
        Ok(())
    }

    fn push_long_word(&mut self, text: &str) -> Result<(), Stop> {
        let (Some((word, left)), Some(last)) = (&mut self.long_word, text.chars().next_back())
        else {
            return Ok(());
        };
        *left = last;
        match word.push(text) {
            Err(Stop::Enough) => self.end_words(),
            pushed => pushed,
        }
    }

    fn end_words(&mut self) -> Result<(), Stop> {
        if let Some((word, _)) = self.long_word.take() {
            self.ids.extend(word.finish()?);
            return self.check_enough();
        }
        let words = std::mem::take(&mut self.words);
        self.split(&words)
    }

    /// Splits complete words.
    fn split(&mut self, words: &str) -> Result<(), Stop> {
        let mut words = PreTokenizedString::from(words);
        let truncation = (self.limit - self.ids.len(), TruncationDirection::Right);
        if let Some(pre_tokenizer) = self.tokenizer.get_pre_tokenizer() {
            pre_tokenizer
                .pre_tokenize(&mut words)
                .map_err(Error::Tokenize)?;
        }
        self.tokenizer
            .get_model()
            .tokenize_in_pretokenized(&mut words, Some(truncation))
            .map_err(Error::Tokenize)?;
        let encoding = words
            .into_encoding(None, 0, OffsetType::None)
            .map_err(Error::Tokenize)?;
        self.ids.extend_from_slice(encoding.get_ids());
        self.check_enough()
    }
}
