//! A `tokenizer.json` like XLM-RoBERTa's, written piece by piece.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::pieces::pieces;

/// Special tokens at the start of the vocabulary; [`MASK`] is at its end.
const SPECIAL: [&str; 4] = ["<s>", "<pad>", "</s>", "<unk>"];
const MASK: &str = "<mask>";
const UNKNOWN_ID: usize = 3;

/// Writes a tokenizer of `vocabulary` pieces, including special tokens.
pub fn write(sink: &mut dyn Write, vocabulary: usize) -> io::Result<()> {
    writeln!(
        sink,
        "{{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,"
    )?;
    for (name, value) in [
        ("added_tokens", added_tokens(vocabulary)),
        ("normalizer", json!({"type": "NFKC"})),
        ("pre_tokenizer", pre_tokenizer()),
        ("post_processor", post_processor()),
        ("decoder", metaspace()),
    ] {
        writeln!(sink, "  \"{name}\": {value},")?;
    }
    writeln!(
        sink,
        "  \"model\": {{\n    \"type\": \"Unigram\",\n    \"unk_id\": {UNKNOWN_ID},\n    \"vocab\": ["
    )?;
    for piece in SPECIAL {
        write_piece(sink, piece, 0)?;
    }
    let synthetic = vocabulary - SPECIAL.len() - 1;
    for (rank, piece) in pieces().take(synthetic).enumerate() {
        write_piece(sink, &piece, score(rank as u64))?;
    }
    writeln!(
        sink,
        "      [\n        \"{MASK}\",\n        0.0\n      ]\n    ],\n    \"byte_fallback\": false\n  }}\n}}"
    )
}

/// One line for each bracket, as in published files, because the file's size influences the time to load it.
fn write_piece(sink: &mut dyn Write, piece: &str, score: u64) -> io::Result<()> {
    const UNIT: u64 = 10_000;
    let sign = if score > 0 { "-" } else { "" };
    let (whole, fraction) = (score / UNIT, score % UNIT);
    let piece = Value::from(piece);
    writeln!(
        sink,
        "      [\n        {piece},\n        {sign}{whole}.{fraction:04}\n      ],"
    )
}

/// Negative log-probability of a piece, in ten-thousandths; it grows with the rank as in real texts.
///
/// The logarithm is interpolated linearly between powers of two, with integers, so that it is the same on every machine.
fn score(rank: u64) -> u64 {
    const OF_THE_FIRST: u64 = 35_000;
    const PER_DOUBLING: u64 = 6_931;
    /// First pieces, which have about the same frequency.
    const HEAD: u64 = 4;
    let scaled = (rank + HEAD) * PER_DOUBLING / HEAD;
    let mut doublings = 0;
    let mut rest = scaled;
    while rest >= 2 * PER_DOUBLING {
        rest /= 2;
        doublings += 1;
    }
    OF_THE_FIRST + doublings * PER_DOUBLING + (rest - PER_DOUBLING)
}

fn added_tokens(vocabulary: usize) -> Value {
    let last = [(vocabulary - 1, MASK)];
    SPECIAL
        .into_iter()
        .enumerate()
        .chain(last)
        .map(|(id, content)| {
            json!({
                "id": id,
                "content": content,
                "single_word": false,
                "lstrip": content == MASK,
                "rstrip": false,
                "normalized": false,
                "special": true,
            })
        })
        .collect()
}

fn metaspace() -> Value {
    json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true})
}

fn pre_tokenizer() -> Value {
    json!({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace()]})
}

fn post_processor() -> Value {
    let special = |id: &str| json!({"SpecialToken": {"id": id, "type_id": 0}});
    let sequence = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
    let single = json!([special("<s>"), sequence("A"), special("</s>")]);
    let pair = json!([
        special("<s>"),
        sequence("A"),
        special("</s>"),
        special("</s>"),
        sequence("B"),
        special("</s>"),
    ]);
    let known = |id: usize| json!({"id": SPECIAL[id], "ids": [id], "tokens": [SPECIAL[id]]});
    json!({
        "type": "TemplateProcessing",
        "single": single,
        "pair": pair,
        "special_tokens": {"<s>": known(0), "</s>": known(2)},
    })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use model::Tokenizer;

    const ENGLISH: &str = "The quick brown fox (aged 7) jumps over 13 lazy dogs, doesn't it?";

    fn tokenizer(vocabulary: usize) -> Tokenizer {
        let mut json = Vec::new();
        write(&mut json, vocabulary).unwrap();
        Tokenizer::from_bytes(&json, NonZeroUsize::new(512).unwrap()).unwrap()
    }

    #[test]
    fn english_text_has_no_unknown_piece_and_is_between_special_tokens() {
        let tokens = tokenizer(2_000).tokenize(ENGLISH).unwrap();
        let ids = tokens.ids();
        assert_eq!((ids[0], ids[ids.len() - 1]), (0, 2));
        assert!(ids[1..ids.len() - 1].iter().all(|&id| id > 3), "{ids:?}");
    }

    #[test]
    fn the_full_vocabulary_covers_many_scripts_and_needs_fewer_pieces_than_letters() {
        let tokenizer = tokenizer(250_002);
        for text in [
            ENGLISH,
            "Straße, naïve",
            "機械学習とは何ですか",
            "Что такое обучение?",
            "ما هو",
            "기계 학습",
        ] {
            let tokens = tokenizer.tokenize(text).unwrap();
            assert!(!tokens.ids().contains(&3), "{text}: {tokens:?}");
        }
        let english = tokenizer.tokenize(ENGLISH).unwrap().len();
        assert!(3 * english < 2 * ENGLISH.len(), "{english}");
    }

    #[test]
    fn scores_grow_with_the_rank() {
        let scores: Vec<u64> = (0..250_000).map(score).collect();
        assert!(scores.is_sorted());
        assert_eq!(scores[0], 35_000);
        assert!(
            (130_000..160_000).contains(&scores[249_999]),
            "{}",
            scores[249_999]
        );
    }
}
