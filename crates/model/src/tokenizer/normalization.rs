//! Normalization of a text of any length, a chunk at a time.
//!
//! The chunks, one after the other, are what `tokenizers` makes of the whole text, but for the length of runs of white
//! space: a chunk ends only where the normalizers that `tokenizer.json` names cannot join, reorder or replace characters
//! across its end.

use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Precompiled, Replace};
use tokenizers::{NormalizedString, Normalizer, NormalizerWrapper};
use unicode_normalization_alignments::char::canonical_combining_class;
use unicode_normalization_alignments::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_segmentation::UnicodeSegmentation;

use super::Stop;
use crate::error::Error;

/// SentencePiece's normalizer looks at graphemes as a whole if they are shorter, in bytes, and else at their characters.
const LONG_GRAPHEME: usize = 6;

/// The normalizers of a tokenizer.
pub struct Normalization {
    /// SentencePiece's normalizer; it is the first one.
    graphemes: Option<Precompiled>,
    /// The others, in order.
    stages: Vec<NormalizerWrapper>,
    chunk_bytes: usize,
}

/// What a chunk that ends before a character would change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing.
    Division,
    /// Nothing, and nothing remains of the character.
    Removed,
    /// The character may belong to those before it.
    Attached,
}

impl Normalization {
    /// `None` if a normalizer may look at more characters than this module knows. The tokenizer must ignore how much white
    /// space there is between words.
    pub fn new(normalizer: Option<&NormalizerWrapper>, chunk_bytes: usize) -> Option<Self> {
        let mut stages = Vec::new();
        flatten(normalizer, &mut stages);
        let graphemes = match stages.first() {
            Some(NormalizerWrapper::Precompiled(precompiled)) => Some(precompiled.clone()),
            _ => None,
        };
        if graphemes.is_some() {
            stages.remove(0);
        }
        // What it removes is ignored anyway, and a chunk's white space separates words.
        stages.retain(|stage| !matches!(stage, NormalizerWrapper::StripNormalizer(_)));
        stages
            .iter()
            .all(|stage| is_local(stage) || (graphemes.is_none() && moves_marks(stage)))
            .then_some(Self {
                graphemes,
                stages,
                chunk_bytes,
            })
    }

    /// Normalizes `text` into `sink`.
    pub fn apply(
        &self,
        text: &str,
        sink: &mut impl FnMut(&str) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if let Some(precompiled) = &self.graphemes {
            return self.apply_to_graphemes(precompiled, text, sink);
        }
        let mut rest = text;
        while !rest.is_empty() {
            let (chunk, next) = self.divide(rest)?;
            sink(&self.normalize(chunk)?)?;
            rest = next;
        }
        Ok(())
    }

    fn apply_to_graphemes(
        &self,
        precompiled: &Precompiled,
        text: &str,
        sink: &mut impl FnMut(&str) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut chunk = String::new();
        let mut push = |part: &str| {
            chunk.push_str(part);
            if chunk.len() < self.chunk_bytes && !part.is_empty() {
                return Ok(());
            }
            let done = sink(&self.normalize(&chunk)?);
            chunk.clear();
            done
        };
        for grapheme in text.graphemes(true) {
            if grapheme.len() < LONG_GRAPHEME
                && let Some(normalized) = precompiled.transform(grapheme)
            {
                push(normalized)?;
                continue;
            }
            for (start, letter) in grapheme.char_indices() {
                let part = &grapheme[start..start + letter.len_utf8()];
                push(precompiled.transform(part).unwrap_or(part))?;
            }
        }
        push("")
    }

    fn normalize(&self, chunk: &str) -> Result<String, Error> {
        let mut normalized = NormalizedString::from(chunk);
        for stage in &self.stages {
            stage.normalize(&mut normalized).map_err(Error::Tokenize)?;
        }
        Ok(normalized.get().to_owned())
    }

    /// The first chunk of a text, and what follows it. Between them, characters of which nothing remains are left out.
    fn divide<'a>(&self, text: &'a str) -> Result<(&'a str, &'a str), Error> {
        let from = text.ceil_char_boundary(self.chunk_bytes);
        let mut removed_from = None;
        let mut last = None;
        for (offset, letter) in text[from..].char_indices() {
            let place = match last {
                Some((same, place)) if same == letter => place,
                _ => self.place(letter)?,
            };
            last = Some((letter, place));
            let index = from + offset;
            match place {
                Place::Division => {
                    return Ok((&text[..removed_from.unwrap_or(index)], &text[index..]));
                }
                Place::Removed => {
                    removed_from.get_or_insert(index);
                }
                Place::Attached if offset > super::WHOLE_BYTES => return Err(super::undivided()),
                Place::Attached => removed_from = None,
            }
        }
        Ok((&text[..removed_from.unwrap_or(text.len())], ""))
    }

    /// Marks are sorted, and composed with what stands before them; a character that neither is a mark nor begins with one,
    /// and never composes with the one before it, separates what is sorted and composed.
    fn place(&self, letter: char) -> Result<Place, Error> {
        if self.stages.iter().all(is_local) {
            return Ok(Place::Division);
        }
        let mut place = Place::Division;
        let mut normalized = NormalizedString::from(letter.to_string());
        for stage in &self.stages {
            if moves_marks(stage) && !is_separate(normalized.get()) {
                place = Place::Attached;
            }
            stage.normalize(&mut normalized).map_err(Error::Tokenize)?;
            if normalized.is_empty() {
                // A mark that would be removed on its own may be kept when it is composed.
                let composed = self.stages.iter().any(composes);
                return Ok(if composed {
                    Place::Attached
                } else {
                    Place::Removed
                });
            }
        }
        Ok(place)
    }
}

fn flatten(normalizer: Option<&NormalizerWrapper>, stages: &mut Vec<NormalizerWrapper>) {
    match normalizer {
        Some(NormalizerWrapper::Sequence(sequence)) => {
            for stage in sequence.as_ref() {
                flatten(Some(stage), stages);
            }
        }
        Some(stage) => stages.push(stage.clone()),
        None => {}
    }
}

/// Whether a normalizer replaces each character whatever its neighbours are, but for runs of spaces.
fn is_local(stage: &NormalizerWrapper) -> bool {
    if let NormalizerWrapper::BertNormalizer(bert) = stage {
        return !bert.strip_accents.unwrap_or(bert.lowercase);
    }
    if let NormalizerWrapper::Replace(replace) = stage {
        let spaces = ReplacePattern::Regex(" {2,}".to_owned());
        return Replace::new(spaces, " ").is_ok_and(|merging| *replace == merging);
    }
    matches!(
        stage,
        NormalizerWrapper::Lowercase(_)
            | NormalizerWrapper::Nmt(_)
            | NormalizerWrapper::StripAccents(_)
    )
}

/// Whether a normalizer is local but for combining marks, which it sorts, removes or composes.
fn moves_marks(stage: &NormalizerWrapper) -> bool {
    composes(stage)
        || matches!(
            stage,
            NormalizerWrapper::NFD(_) | NormalizerWrapper::NFKD(_)
        )
        || matches!(stage, NormalizerWrapper::BertNormalizer(_)) && !is_local(stage)
}

fn composes(stage: &NormalizerWrapper) -> bool {
    matches!(
        stage,
        NormalizerWrapper::NFC(_) | NormalizerWrapper::NFKC(_)
    )
}

fn is_separate(text: &str) -> bool {
    let separate = |letter: Option<(char, isize)>| {
        letter.is_some_and(|(letter, _)| {
            canonical_combining_class(letter) == 0
                && is_nfc_quick(std::iter::once(letter)) == IsNormalized::Yes
        })
    };
    separate(text.nfd().next()) && separate(text.nfkd().next())
}
