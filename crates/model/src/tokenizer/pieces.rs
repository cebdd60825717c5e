//! The vocabulary of a unigram model, so that all pieces with which a text begins are found.

use tokenizers::Model;
use tokenizers::models::unigram::Unigram;

/// What the score of an unknown character is below the lowest score of the vocabulary.
const UNKNOWN_PENALTY: f64 = 10.0;

/// The pieces of a vocabulary, sorted.
pub struct Pieces {
    text: String,
    pieces: Vec<Piece>,
    /// Bytes of the longest piece.
    pub longest: usize,
    /// Score of an unknown character.
    pub unknown_score: f64,
    /// The id of unknown characters, if there is one.
    pub unknown: Option<u32>,
}

/// A piece: its place in the text of all pieces, id and score.
pub struct Piece {
    start: u32,
    end: u32,
    /// The id.
    pub id: u32,
    /// The score; the best path has the highest sum.
    pub score: f64,
}

impl Pieces {
    /// `None` if `tokenizers` would split words in another way than the best path.
    pub fn new(model: &Unigram) -> Option<Self> {
        // A run of unknown characters must not be better than a piece of the same characters.
        let usable = model.min_score.is_finite() && model.min_score < UNKNOWN_PENALTY;
        let deterministic = model.alpha.is_none_or(|alpha| alpha == 0.0);
        if !usable || !deterministic || model.byte_fallback() {
            return None;
        }
        let mut text = String::new();
        let mut pieces = Vec::with_capacity(model.get_vocab_size());
        for (id, (piece, score)) in (0..).zip(model.iter()) {
            // Of equal pieces the last one counts.
            if piece.is_empty() || model.token_to_id(piece) != Some(id) {
                continue;
            }
            let start = u32::try_from(text.len()).ok()?;
            text.push_str(piece);
            let end = u32::try_from(text.len()).ok()?;
            pieces.push(Piece {
                start,
                end,
                id,
                score: *score,
            });
        }
        let bytes = |piece: &Piece| &text.as_bytes()[piece.start as usize..piece.end as usize];
        pieces.sort_unstable_by(|a, b| bytes(a).cmp(bytes(b)));
        Some(Self {
            longest: pieces
                .iter()
                .map(|piece| bytes(piece).len())
                .max()
                .unwrap_or(0),
            unknown: unknown(model),
            unknown_score: model.min_score - UNKNOWN_PENALTY,
            text,
            pieces,
        })
    }

    /// Calls `found` with the length in bytes of every piece with which `text` begins, the shortest first.
    pub fn prefixes(&self, text: &[u8], mut found: impl FnMut(usize, &Piece)) {
        let mut pieces = self.pieces.as_slice();
        for (depth, byte) in text.iter().enumerate() {
            let at = |piece: &Piece| {
                let bytes = &self.text.as_bytes()[piece.start as usize..piece.end as usize];
                bytes.get(depth).copied()
            };
            pieces = &pieces[pieces.partition_point(|piece| at(piece) < Some(*byte))..];
            pieces = &pieces[..pieces.partition_point(|piece| at(piece) == Some(*byte))];
            let Some(first) = pieces.first() else {
                return;
            };
            if (first.end - first.start) as usize == depth + 1 {
                found(depth + 1, first);
            }
        }
    }
}

/// The id for unknown characters, which `tokenizers` does not tell.
fn unknown(model: &Unigram) -> Option<u32> {
    let letter = ('\u{F0000}'..='\u{10FFFF}')
        .map(String::from)
        .find(|letter| model.token_to_id(letter).is_none())?;
    let tokens = model.tokenize(&letter).ok()?;
    tokens.first().map(|token| token.id)
}
