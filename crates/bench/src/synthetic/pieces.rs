//! The tokenizer's synthetic pieces: all different, and about as long as real ones.
//!
//! Frequent pieces come first. ASCII characters and groups of up to three letters are at the start, so that even a small
//! vocabulary can express English text, with about three letters a token.

/// Stands for the space before a word.
const SPACE: char = '▁';

/// Characters that are pieces of their own, so that hardly any text has an unknown piece.
const SCRIPTS: [(char, char); 11] = [
    ('\u{a1}', '\u{52f}'),
    ('\u{531}', '\u{6ff}'),
    ('\u{900}', '\u{dff}'),
    ('\u{e01}', '\u{e5b}'),
    ('\u{10a0}', '\u{10ff}'),
    ('\u{1e00}', '\u{1fff}'),
    ('\u{2010}', '\u{205e}'),
    ('\u{3041}', '\u{30ff}'),
    ('\u{4e00}', '\u{9fff}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{1f300}', '\u{1faff}'),
];

const LATIN: (&str, &str) = ("bcdfghjklmnpqrstvwxyz", "aeiou");
const CYRILLIC: (&str, &str) = ("бвгджзклмнпрстфхцчшщ", "аеиоу");

/// An endless sequence of pieces.
pub fn pieces() -> impl Iterator<Item = String> {
    std::iter::once(SPACE.to_string())
        .chain(('!'..='~').map(String::from))
        .chain(letters(1).map(spaced))
        .chain(letters(2))
        .chain(letters(2).map(spaced))
        .chain(letters(3))
        .chain(letters(3).map(spaced))
        .chain(
            SCRIPTS
                .into_iter()
                .flat_map(|(first, last)| first..=last)
                .map(String::from),
        )
        .chain(words())
}

fn spaced(piece: String) -> String {
    format!("{SPACE}{piece}")
}

/// Every combination of `count` lower-case letters.
fn letters(count: u32) -> impl Iterator<Item = String> {
    const LETTERS: usize = 26;
    (0..LETTERS.pow(count)).map(move |number| {
        (0..count)
            .rev()
            .map(|place| char::from(b'a' + (number / LETTERS.pow(place) % LETTERS) as u8))
            .collect()
    })
}

/// Words of two or more syllables in two alphabets, each with and without a preceding space.
fn words() -> impl Iterator<Item = String> {
    (0..).flat_map(|number| {
        [LATIN, CYRILLIC].into_iter().flat_map(move |alphabet| {
            let word = word(number, alphabet);
            [spaced(word.clone()), word]
        })
    })
}

/// Counts with syllables as digits. Each is one consonant and one vowel, so that all words differ.
fn word(number: usize, (consonants, vowels): (&str, &str)) -> String {
    let consonants: Vec<char> = consonants.chars().collect();
    let vowels: Vec<char> = vowels.chars().collect();
    let syllables = consonants.len() * vowels.len();
    let mut left = number + syllables;
    let mut digits = Vec::new();
    loop {
        digits.push(left % syllables);
        left /= syllables;
        if left == 0 {
            break;
        }
        left -= 1;
    }
    digits
        .into_iter()
        .rev()
        .flat_map(|digit| {
            [
                consonants[digit / vowels.len()],
                vowels[digit % vowels.len()],
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_pieces_differ() {
        const COUNT: usize = 300_000;
        let distinct: HashSet<String> = pieces().take(COUNT).collect();
        assert_eq!(distinct.len(), COUNT);
    }

    #[test]
    fn words_begin_with_two_syllables() {
        assert_eq!(word(0, LATIN), "baba");
        assert_eq!(word(1, LATIN), "babe");
        assert_eq!(word(105 * 105, LATIN), "bababa");
    }
}
