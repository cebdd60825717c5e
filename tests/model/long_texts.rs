//! A long text has the ids that `tokenizers` gives for the whole text.

use std::num::NonZeroUsize;

use model::Tokenizer;
use tokenizers::{TruncationDirection, TruncationParams, TruncationStrategy};

use crate::support::golden::texts;
use crate::support::models::checkpoint;

/// Long enough for several chunks, and for more than 512 tokens of every script.
const BYTES: usize = 50_000;

/// The golden texts and single characters, again and again; and all of them in turns.
fn long_texts() -> Vec<String> {
    let golden = texts();
    let golden = golden.iter().map(|text| text.text.as_str());
    let short = [
        ",",
        "w ",
        "a",
        "ﷺ",
        " ",
        "\n\t",
        "\u{A0}",
        "\u{3000}",
        "☃",
        "한",
        "機器",
        "\u{301}",
        "e\u{301}",
        "👩‍👩‍👧",
        "[MASK]",
        "[SEP] ",
        "[CLS",
        "<mask> ",
        " <mask>",
        "</s><s>",
        "<unk>",
        "▁",
    ];
    let parts: Vec<&str> = golden
        .filter(|text| !text.is_empty())
        .chain(short)
        .collect();
    let repeated = parts.iter().map(|part| part.repeat(BYTES / part.len() + 1));
    let separated = parts
        .iter()
        .map(|part| format!("{part} ").repeat(BYTES / part.len() + 1));
    let in_turns = (0..20).map(|turn| {
        let turned = parts.iter().cycle().skip(11 * turn).step_by(turn + 1);
        turned.take(2000).copied().collect::<Vec<_>>().concat()
    });
    repeated.chain(separated).chain(in_turns).collect()
}

fn long_texts_have_the_ids_of_the_whole_text(name: &str, limits: &[usize]) {
    let file = checkpoint(name).join("tokenizer.json");
    let texts = long_texts();
    assert!(texts.len() > 200);
    for limit in limits {
        let tokenizer = Tokenizer::load(&file, NonZeroUsize::new(*limit).unwrap()).unwrap();
        let mut whole = tokenizers::Tokenizer::from_file(&file).unwrap();
        whole.with_padding(None);
        let truncation = TruncationParams {
            max_length: *limit,
            strategy: TruncationStrategy::LongestFirst,
            direction: TruncationDirection::Right,
            stride: 0,
        };
        whole.with_truncation(Some(truncation)).unwrap();
        for text in &texts {
            let expected = whole.encode_fast(text.as_str(), true).unwrap();
            let begin: String = text.chars().take(40).collect();
            let tokens = tokenizer.tokenize(text).unwrap();
            assert!(
                tokens.ids() == expected.get_ids(),
                "{name}, {limit} tokens of {begin:?}..."
            );
        }
    }
}

#[test]
fn long_texts_of_minilm_have_the_ids_of_the_whole_text() {
    long_texts_have_the_ids_of_the_whole_text("minilm", &[128, 8192]);
}

#[test]
fn long_texts_of_tiny_xlm_roberta_have_the_ids_of_the_whole_text() {
    long_texts_have_the_ids_of_the_whole_text("tiny-xlm-roberta", &[128, 8192]);
}
