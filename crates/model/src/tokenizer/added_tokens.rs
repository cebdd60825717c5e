//! Where the added tokens of a tokenizer stand in a text.
//!
//! The leftmost match counts, of several there the longest, as in `tokenizers`. Nothing is kept but the tokens.

use tokenizers::AddedToken;

/// An added token in a text, with the white space that it strips.
#[derive(Debug, PartialEq, Eq)]
pub struct Match {
    /// First byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
    /// The id of the token.
    pub id: u32,
}

/// Added tokens, the longest first.
#[derive(Default)]
pub struct AddedTokens(Vec<(u32, AddedToken)>);

impl AddedTokens {
    /// `None` if a token depends on what a word is (`single_word`).
    pub fn new(mut tokens: Vec<(u32, AddedToken)>) -> Option<Self> {
        tokens.sort_by_key(|(_, token)| std::cmp::Reverse(token.content.len()));
        (!tokens.iter().any(|(_, token)| token.single_word)).then_some(Self(tokens))
    }

    /// Bytes of the longest token.
    pub fn longest(&self) -> usize {
        self.0.first().map_or(0, |(_, token)| token.content.len())
    }

    /// The first token that begins at `from` or later, without stripping: its place in `text`, and the token.
    pub fn find(&self, text: &str, from: usize) -> Option<(Match, &AddedToken)> {
        let begins = |letter: char| {
            self.0
                .iter()
                .any(|(_, token)| token.content.starts_with(letter))
        };
        let mut from = from;
        while let Some(offset) = text[from..].find(begins) {
            let start = from + offset;
            let rest = &text[start..];
            let found = self
                .0
                .iter()
                .find(|(_, token)| rest.starts_with(&token.content));
            if let Some((id, token)) = found {
                let end = start + token.content.len();
                return Some((
                    Match {
                        start,
                        end,
                        id: *id,
                    },
                    token,
                ));
            }
            from = start + rest.chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    /// All tokens in `text`, with the white space that they strip.
    pub fn matches<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Match> + 'a {
        let mut from = 0;
        let mut taken = 0;
        std::iter::from_fn(move || {
            let (mut found, token) = self.find(text, from)?;
            from = found.end;
            if token.lstrip {
                found.start = text[..found.start].trim_end().len().max(taken);
            }
            if token.rstrip {
                let rest = &text[found.end..];
                found.end += rest.len() - rest.trim_start().len();
            }
            taken = found.end;
            Some(found)
        })
    }
}
