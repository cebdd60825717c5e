//! Generated texts of a given number of tokens.
//!
//! With the model's tokenizer the number is exact. Without it, every word is assumed to be one token.
//!
//! No text is generated twice, and another run generates others: what a server keeps of texts that it was asked before is
//! never measured by mistake.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use crate::random::Stream;
use model::Tokenizer;

/// Common words, most of which are one token for multilingual tokenizers.
const WORDS: &str = "a the of and to in is it for on that with as was are be this have from or by not but what all \
    were when we there can an your which their if do will each about how up out them then she many some so these \
    would other into has more her two like him see time could no make than first been its who now people my made \
    over did down only way find use may water long little very after called just where most know";

/// Invented words beside these, if their tokens can be counted: so many that two of them rarely make the same text again.
const INVENTED_WORDS: u64 = 3000;
/// Drawn texts of one length, all of them known, after which a longer one is drawn.
const ATTEMPTS: usize = 50;

/// A text and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub content: String,
    /// Number of its tokens, including special tokens.
    pub tokens: usize,
}

/// Generates texts.
pub struct TextMaker<'a> {
    tokenizer: Option<&'a Tokenizer>,
    words: Vec<Word>,
    special_tokens: usize,
    random: Stream,
    drawn: u64,
    known: HashSet<String>,
}

struct Word {
    letters: String,
    tokens: usize,
}

impl<'a> TextMaker<'a> {
    /// Counts with `tokenizer`, or estimates without one.
    pub fn new(tokenizer: Option<&'a Tokenizer>) -> Result<Self, model::Error> {
        let count = |text: &str| match tokenizer {
            Some(tokenizer) => tokenizer.tokenize(text).map(|tokens| tokens.len()),
            None => Ok(2 + text.split(' ').count()),
        };
        // A second copy of a word adds the word's tokens and no special ones.
        let special_tokens = (2 * count("a")?).saturating_sub(count("a a")?);
        // The standard library's random state is the operating system's randomness.
        let random = Stream::new(RandomState::new().hash_one(()));
        let invented = tokenizer.map_or(0, |_| INVENTED_WORDS);
        let invented = (0..invented).map(|index| invented_word(random, index));
        let common = WORDS.split_whitespace().flat_map(cases);
        let words = common
            .chain(invented)
            .map(|letters| {
                let tokens = count(&letters)?.saturating_sub(special_tokens).max(1);
                Ok(Word { letters, tokens })
            })
            .collect::<Result<_, model::Error>>()?;
        Ok(Self {
            tokenizer,
            words,
            special_tokens,
            random,
            drawn: INVENTED_WORDS,
            known: HashSet::new(),
        })
    }

    /// Whether numbers of tokens are exact, not estimated.
    pub fn is_exact(&self) -> bool {
        self.tokenizer.is_some()
    }

    /// A text of `tokens` tokens, or of more if there is none of this length left; [`Text::tokens`] is the actual number.
    pub fn text(&mut self, tokens: usize) -> Result<Text, model::Error> {
        let mut length = tokens;
        loop {
            for _ in 0..ATTEMPTS {
                let text = self.drawn_text(length)?;
                if self.known.insert(text.content.clone()) {
                    return Ok(text);
                }
            }
            length += 1;
        }
    }

    fn drawn_text(&mut self, tokens: usize) -> Result<Text, model::Error> {
        let mut left = tokens.saturating_sub(self.special_tokens).max(1);
        let mut chosen = Vec::new();
        while left > 0 {
            let Some(index) = self.word(left) else { break };
            left -= self.words[index].tokens.min(left);
            chosen.push(index);
        }
        let chosen = chosen.into_iter().map(|index| &*self.words[index].letters);
        let content = chosen.collect::<Vec<_>>().join(" ");
        let tokens = match self.tokenizer {
            Some(tokenizer) => tokenizer.tokenize(&content)?.len(),
            None => tokens,
        };
        Ok(Text { content, tokens })
    }

    /// `count` texts of `tokens` tokens.
    pub fn texts(&mut self, count: usize, tokens: usize) -> Result<Vec<Text>, model::Error> {
        (0..count).map(|_| self.text(tokens)).collect()
    }

    /// `count` texts of `shortest` to `longest` tokens, distributed uniformly on a logarithmic scale.
    pub fn mixed_texts(
        &mut self,
        count: usize,
        shortest: usize,
        longest: usize,
    ) -> Result<Vec<Text>, model::Error> {
        let (low, high) = ((shortest as f64).ln(), (longest as f64).ln());
        (0..count)
            .map(|_| {
                let uniform = self.draw() as f64 / u64::MAX as f64;
                self.text((low + uniform * (high - low)).exp().round() as usize)
            })
            .collect()
    }

    /// The index of a random word of at most `most` tokens, or of a shortest word if none was found.
    fn word(&mut self, most: usize) -> Option<usize> {
        for _ in 0..ATTEMPTS {
            let index = (self.draw() % self.words.len() as u64) as usize;
            if self.words[index].tokens <= most {
                return Some(index);
            }
        }
        (0..self.words.len()).min_by_key(|&index| self.words[index].tokens)
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.random.bits(self.drawn)
    }
}

/// A word in its three spellings.
fn cases(word: &str) -> [String; 3] {
    let (first, rest) = word.split_at(1);
    [
        word.to_owned(),
        first.to_uppercase() + rest,
        word.to_uppercase(),
    ]
}

/// A random word of one to three letters, which many vocabularies have as one token.
fn invented_word(random: Stream, index: u64) -> String {
    const LETTERS: u64 = 26;
    let bits = random.bits(index);
    let letters = 1 + bits % 3;
    (1..=letters)
        .map(|place| char::from(b'a' + (bits >> (8 * place)) as u8 % LETTERS as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::path::Path;

    use super::*;

    fn tokenizer(fixture: &str) -> Tokenizer {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures")
            .join(fixture)
            .join("tokenizer.json");
        Tokenizer::load(&path, NonZeroUsize::new(8192).unwrap()).unwrap()
    }

    #[test]
    fn texts_have_exactly_the_given_number_of_tokens() {
        for fixture in ["tiny-bert", "tiny-xlm-roberta"] {
            let tokenizer = tokenizer(fixture);
            let mut maker = TextMaker::new(Some(&tokenizer)).unwrap();
            for tokens in [4, 5, 12, 32, 128, 512, 8192] {
                let text = maker.text(tokens).unwrap();
                assert_eq!(text.tokens, tokens, "{fixture}: {}", text.content);
            }
        }
    }

    #[test]
    fn mixed_texts_stay_within_their_bounds_and_differ() {
        let tokenizer = tokenizer("tiny-xlm-roberta");
        let mut maker = TextMaker::new(Some(&tokenizer)).unwrap();
        let texts = maker.mixed_texts(300, 4, 256).unwrap();
        assert!(texts.iter().all(|text| (4..=256).contains(&text.tokens)));
        let mean = texts.iter().map(|text| text.tokens).sum::<usize>() / texts.len();
        assert!((40..80).contains(&mean), "{mean}");
    }

    #[test]
    fn without_a_tokenizer_a_word_counts_as_a_token() {
        let mut maker = TextMaker::new(None).unwrap();
        let text = maker.text(12).unwrap();
        assert_eq!(text.content.split(' ').count(), 10);
        assert!(!maker.is_exact());
    }

    #[test]
    fn no_text_comes_twice_however_short_it_is() {
        let tokenizer = tokenizer("tiny-bert");
        for tokenizer in [None, Some(&tokenizer)] {
            let mut maker = TextMaker::new(tokenizer).unwrap();
            let texts = maker.texts(2000, 4).unwrap();
            let distinct: HashSet<_> = texts.iter().map(|text| &text.content).collect();
            assert_eq!(distinct.len(), texts.len());
        }
    }

    #[test]
    fn two_runs_generate_different_texts() {
        let texts = [(); 2].map(|()| TextMaker::new(None).unwrap().texts(100, 12).unwrap());
        let [first, second] = texts.map(|texts| {
            let contents = texts.into_iter().map(|text| text.content);
            contents.collect::<HashSet<_>>()
        });
        assert!(first.is_disjoint(&second));
    }

    #[test]
    fn a_text_is_never_empty() {
        let mut maker = TextMaker::new(None).unwrap();
        assert!(!maker.text(1).unwrap().content.is_empty());
    }
}
