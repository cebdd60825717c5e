//! The ids of divided texts against those of `tokenizers` for the whole text.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// What texts are made of: scripts, marks, sequences of several characters, added tokens, white space, expansions.
const FRAGMENTS: [&str; 64] = [
    "the",
    "river",
    "What is machine learning?",
    "naïve",
    "Straße",
    "İstanbul",
    "a",
    "w ",
    ",",
    ".",
    "...",
    "-",
    "_",
    "cafe\u{301}",
    "\u{301}",
    "\u{327}\u{301}",
    "\u{302E}",
    "\u{1D165}",
    "\u{344}",
    "e\u{301}\u{323}",
    "\u{200D}",
    "👩‍👩‍👧",
    "👍🏽",
    "🇩🇪",
    "🇩",
    "☃",
    "™",
    "™\u{301}",
    "\u{600}",
    "ﷺ",
    "ﬁ",
    "①",
    "ｶﾞ",
    "＜mask＞",
    "＜",
    "한국어",
    "\u{1112}",
    "\u{1161}",
    "\u{11AB}",
    "日本語の文章",
    "機器學習是甚麼",
    "東京 ",
    "हिन्दी",
    "क्\u{200D}ष",
    "ไทย",
    "العربية",
    "עברית",
    "реκа",
    "<mask>",
    " <mask> ",
    "<s>",
    "</s>",
    "<unk>",
    "[MASK]",
    "[SEP",
    "<right>",
    "<both>",
    " ",
    "  ",
    "\n",
    "\t",
    "\u{A0}",
    "\u{3000}",
    "▁",
];

fn fixture(name: &str) -> Value {
    let path = format!(
        "{}/../../tests/fixtures/{name}/tokenizer.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn with_added(mut tokenizer: Value, tokens: &[(&str, bool, bool, bool)]) -> Value {
    let added = tokenizer["added_tokens"].as_array_mut().unwrap();
    for (content, lstrip, rstrip, normalized) in tokens {
        let id = 1_000_000 + added.len();
        added.retain(|token| token["content"] != *content);
        added.push(json!({
            "id": id, "content": content, "single_word": false, "lstrip": lstrip, "rstrip": rstrip,
            "normalized": normalized, "special": !normalized,
        }));
    }
    tokenizer
}

fn with(mut tokenizer: Value, field: &str, value: Value) -> Value {
    tokenizer[field] = value;
    tokenizer
}

/// XLM-RoBERTa's tokenizer with pieces of many scripts, lengths and (often equal) scores.
fn many_pieces() -> Value {
    let mut tokenizer = fixture("tiny-xlm-roberta");
    let vocabulary = tokenizer["model"]["vocab"].as_array_mut().unwrap();
    let mut known: std::collections::HashSet<String> = vocabulary
        .iter()
        .map(|piece| piece[0].as_str().unwrap().to_owned())
        .collect();
    let mut number = 0_u32;
    for fragment in FRAGMENTS
        .iter()
        .chain(&["aaaa", ",,,,,,,,", "صلى الله", "عليه", "ababab"])
    {
        let letters: Vec<char> = fragment
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .collect();
        for length in 1..=letters.len() {
            for piece in letters.windows(length) {
                number += 1;
                let prefix = if number.is_multiple_of(5) { "▁" } else { "" };
                let piece = format!("{prefix}{}", piece.iter().collect::<String>());
                // Some characters stay unknown.
                if !number.is_multiple_of(7) && known.insert(piece.clone()) {
                    vocabulary.push(json!([piece, -f64::from(number % 11)]));
                }
            }
        }
    }
    tokenizer
}

/// Most tokens and bytes of a chunk.
const SIZES: [(usize, usize); 6] = [(2, 4), (5, 16), (128, 61), (512, 5), (8192, 4), (8192, 500)];

static TOKENIZERS: LazyLock<Vec<Vec<(&str, Tokenizer)>>> = LazyLock::new(|| {
    let build = |(max_tokens, chunk_bytes)| {
        let tokenizers = descriptions().into_iter();
        tokenizers
            .map(|(name, description)| (name, tokenizer(&description, max_tokens, chunk_bytes)))
            .collect()
    };
    SIZES.into_iter().map(build).collect()
});

fn descriptions() -> Vec<(&'static str, Value)> {
    let precompiled = fixture("tiny-xlm-roberta")["normalizer"].clone();
    let stripping = [
        ("<right>", false, true, false),
        ("<both>", true, true, false),
    ];
    let spaces = json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "});
    let sequence = |stages: Value| json!({"type": "Sequence", "normalizers": stages});
    let bert = |strip: bool| json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": strip});
    let kind = |name: &str| json!({"type": name});
    let mut never = many_pieces();
    never["pre_tokenizer"]["pretokenizers"][1]["prepend_scheme"] = json!("never");
    vec![
        ("tiny-bert", fixture("tiny-bert")),
        (
            "lower-case bert",
            with(fixture("tiny-bert"), "normalizer", bert(true)),
        ),
        (
            "bert with stripping tokens",
            with_added(
                with(fixture("tiny-bert"), "normalizer", bert(true)),
                &stripping,
            ),
        ),
        (
            "bert of single normalizers",
            with(
                with_added(fixture("tiny-bert"), &[("<mask>", true, false, true)]),
                "normalizer",
                sequence(json!([
                    kind("NFD"),
                    kind("StripAccents"),
                    kind("Lowercase")
                ])),
            ),
        ),
        ("tiny-xlm-roberta", fixture("tiny-xlm-roberta")),
        ("many pieces", with_added(many_pieces(), &stripping)),
        (
            "a normalized mask",
            with_added(many_pieces(), &[("<mask>", true, false, true)]),
        ),
        ("no prefix", never),
        (
            "merged spaces",
            with(
                many_pieces(),
                "normalizer",
                sequence(
                    json!([precompiled, kind("Lowercase"), {"type": "Strip", "strip_left": true, "strip_right": true}, spaces]),
                ),
            ),
        ),
        (
            "nfkc",
            with(
                many_pieces(),
                "normalizer",
                sequence(json!([kind("Nmt"), kind("NFKC"), kind("Lowercase")])),
            ),
        ),
        (
            "nfc",
            with(
                with_added(many_pieces(), &stripping),
                "normalizer",
                kind("NFC"),
            ),
        ),
        (
            "not normalized",
            with(many_pieces(), "normalizer", Value::Null),
        ),
    ]
}

fn tokenizer(description: &Value, max_tokens: usize, chunk_bytes: usize) -> Tokenizer {
    let max_tokens = NonZeroUsize::new(max_tokens).unwrap();
    let json = description.to_string();
    let tokenizer = Tokenizer::with_chunks(json.as_bytes(), max_tokens, chunk_bytes).unwrap();
    assert!(tokenizer.division.is_some());
    tokenizer
}

fn assert_same(name: &str, tokenizer: &Tokenizer, text: &str) {
    let whole = tokenizer.inner.encode_fast(text, true).unwrap();
    let divided = tokenizer.tokenize(text).unwrap();
    assert!(
        divided.ids() == whole.get_ids(),
        "{name}, chunks of {}: {text:?}\n{:?}\n{:?}",
        tokenizer.chunk_bytes,
        divided.ids(),
        whole.get_ids()
    );
}

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
