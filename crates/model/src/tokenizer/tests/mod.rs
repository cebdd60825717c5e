//! The ids of divided texts against those of `tokenizers` for the whole text.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use descriptions::{FRAGMENTS, fixture, with};
use fuzzing::{SIZES, TOKENIZERS, assert_same};

fn text() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        12 => (prop::sample::select(&FRAGMENTS[..]), 1..4_usize),
        1 => (prop::sample::select(&FRAGMENTS[..]), 4..150_usize),
    ]
    .prop_map(|(fragment, times)| fragment.repeat(times));
    let any = prop::char::any().prop_map(String::from);
    prop::collection::vec(prop_oneof![9 => fragment, 1 => any], 1..60)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_divided_text_has_the_ids_of_the_whole_text(
        text in text(),
        size in 0..SIZES.len(),
    ) {
        for (name, tokenizer) in &TOKENIZERS[size] {
            assert_same(name, tokenizer, &text);
        }
    }
}

#[test]
fn every_fragment_repeated_has_the_ids_of_the_whole_text() {
    for (name, tokenizer) in TOKENIZERS.iter().flatten() {
        for fragment in FRAGMENTS {
            assert_same(name, tokenizer, &fragment.repeat(1500 / fragment.len()));
            assert_same(
                name,
                tokenizer,
                &format!("the {}river", fragment.repeat(700 / fragment.len())),
            );
        }
    }
}

#[test]
fn a_word_of_a_megabyte_is_split_in_every_model() {
    for (name, tokenizer) in &TOKENIZERS[5] {
        for word in ["a", "ﷺ", "☃", ","] {
            let tokens = tokenizer
                .tokenize(&word.repeat(1_000_000 / word.len()))
                .unwrap();
            assert!(tokens.len() <= 8192, "{name}: {word}");
        }
    }
}

#[test]
fn a_prompt_and_a_text_have_the_ids_of_one_text() {
    let json = fixture("tiny-xlm-roberta").to_string();
    let load = |max_tokens| {
        let max_tokens = NonZeroUsize::new(max_tokens).unwrap();
        Tokenizer::from_bytes(json.as_bytes(), max_tokens).unwrap()
    };
    for max_tokens in [6, 50_000] {
        let prompted = load(max_tokens).with_prompt("What is asked: ".to_owned());
        for text in ["", "a", " the river", &"the river ".repeat(CHUNK_BYTES / 5)] {
            let expected = load(max_tokens).tokenize(&format!("What is asked: {text}"));
            let found = prompted.tokenize(text).unwrap();
            assert_eq!(found, expected.unwrap(), "{max_tokens}: {text:.20}");
            assert!(found.len() <= max_tokens);
        }
    }
}

#[test]
fn a_tokenizer_that_cannot_be_divided_splits_texts_up_to_the_limit() {
    let words = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": " |x"}, "behavior": "Isolated", "invert": false},
        "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"a": 0, "?": 1}, "unk_token": "?"},
    });
    let max_tokens = NonZeroUsize::new(7).unwrap();
    let tokenizer = Tokenizer::from_bytes(words.to_string().as_bytes(), max_tokens).unwrap();
    let tokens = tokenizer.tokenize(&"a".repeat(WHOLE_BYTES)).unwrap();
    assert_eq!(tokens.ids(), [1]);
    let error = tokenizer
        .tokenize(&"a".repeat(WHOLE_BYTES + 1))
        .unwrap_err();
    assert!(
        matches!(error, Error::Undivided { limit: WHOLE_BYTES }),
        "{error}"
    );
}

#[test]
fn a_tokenizer_that_cannot_split_a_simple_text_is_not_loaded() {
    let nothing = json!({"type": "Split", "pattern": {"Regex": "(?s).+"}, "behavior": "Removed", "invert": false});
    let mut no_tokens = with(fixture("tiny-bert"), "pre_tokenizer", nothing);
    no_tokens["post_processor"] = Value::Null;
    // A table of one entry that leads outside of the table.
    let panics = json!({"type": "Precompiled", "precompiled_charsmap": "BAAAAAD8AAA="});
    let mut no_unknown = fixture("tiny-bert");
    no_unknown["model"]["unk_token"] = json!("missing");
    let unusable = [
        ("no tokens", no_tokens),
        ("panics", with(fixture("tiny-bert"), "normalizer", panics)),
        ("no unknown token", no_unknown),
    ];
    for (name, tokenizer) in unusable {
        let max_tokens = NonZeroUsize::new(16).unwrap();
        let loaded = Tokenizer::from_bytes(tokenizer.to_string().as_bytes(), max_tokens);
        assert!(loaded.is_err(), "{name}");
    }
    let json = fixture("tiny-bert").to_string();
    assert!(Tokenizer::from_bytes(json.as_bytes(), NonZeroUsize::MIN).is_err());
}

#[test]
fn what_is_not_a_regular_file_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path(), Path::new("/dev/zero")] {
        let error = Tokenizer::load(path, NonZeroUsize::MIN).err().unwrap();
        assert!(matches!(error, Error::Read { .. }), "{error}");
    }
}
