//! Descriptions of tokenizers, and what the texts for them are made of.

use serde_json::{Value, json};

/// What texts are made of: scripts, marks, sequences of several characters, added tokens, white space, expansions.
pub const FRAGMENTS: [&str; 64] = [
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

/// A fixture's tokenizer.
pub fn fixture(name: &str) -> Value {
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

/// The tokenizer with another field.
pub fn with(mut tokenizer: Value, field: &str, value: Value) -> Value {
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

/// Tokenizers by name, of every part that texts can be divided for.
pub fn descriptions() -> Vec<(&'static str, Value)> {
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
