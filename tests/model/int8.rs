//! Rounded models: a vector is its text's alone, has length 1, and is close to the fp32 vector.

use std::collections::{BTreeMap, VecDeque};

use runpod_query::bench::synthetic::{Size, write_checkpoint};
use runpod_query::config::Precision;
use runpod_query::export::Agreement;

use crate::support::golden::{cosine, golden, length, path, texts};
use crate::support::models::{Model, checkpoint};

/// Tokens after which a batch is full, as in the engine.
const BATCH_TOKENS: usize = 512;
/// Sentences of one batch; each has fewer than 32 tokens.
const SENTENCES_AT_ONCE: usize = 16;

fn int8(name: &str) -> Model {
    Model::export_in(&checkpoint(name), name, Precision::Int8)
}

/// An int8 model of XLM-RoBERTa's kind with random weights that takes texts of `max_tokens` tokens.
fn long_synthetic(max_tokens: usize) -> Model {
    let folder = tempfile::tempdir().unwrap();
    // Two rows of the position table stand before a text's first position.
    let size = Size {
        positions: max_tokens + 2,
        ..Size::SMALL
    };
    write_checkpoint(folder.path(), size).unwrap();
    Model::export_in(folder.path(), "synthetic", Precision::Int8)
}

/// Texts of many lengths: one for each number of tokens up to 40, and for every `step`th beyond.
fn texts_by_tokens(model: &Model, limit: usize, step: usize) -> BTreeMap<usize, String> {
    let words = "a river of old stones ran past the house where we sat and read in the late sun";
    let words: Vec<&str> = words.split(' ').collect();
    let turned = (1..=limit).map(|count| {
        let words = words.iter().cycle().skip(count);
        words.take(count).copied().collect::<Vec<_>>().join(" ")
    });
    let mut found = BTreeMap::new();
    // One token in a vocabulary of XLM-RoBERTa's kind, whereas a short word is at least two of a tiny one.
    for text in std::iter::once("<mask>".to_owned()).chain(turned) {
        let tokens = model.tokenizer.tokenize(&text).unwrap().len();
        if tokens <= 40 || tokens.is_multiple_of(step) || tokens == limit {
            found.entry(tokens).or_insert(text);
        }
    }
    assert_eq!(found.first_key_value().unwrap().0, &3);
    assert_eq!(found.last_key_value().unwrap().0, &limit);
    found
}

/// Batches in which the shortest texts stand beside the longest, every one of at least two texts.
fn mixed_batches(texts: &BTreeMap<usize, String>) -> Vec<Vec<&str>> {
    let mut left: VecDeque<_> = texts.iter().collect();
    let mut batches = Vec::new();
    while !left.is_empty() {
        let (mut batch, mut tokens) = (Vec::new(), 0);
        while tokens < BATCH_TOKENS || batch.len() < 2 {
            let from_front = batch.len() % 2 == 0;
            let next = if from_front {
                left.pop_front()
            } else {
                left.pop_back()
            };
            let Some((length, text)) = next else { break };
            tokens += length;
            batch.push(text.as_str());
        }
        batches.push(batch);
    }
    batches
}

/// Every text gives the same bits alone and in a mixed batch; gives the number of texts.
fn batches_change_no_bit(model: &mut Model, limit: usize, step: usize) -> usize {
    let texts = texts_by_tokens(model, limit, step);
    for batch in mixed_batches(&texts) {
        let together = model.encode(&batch);
        for (text, together) in batch.iter().zip(together) {
            let alone = &model.encode(&[text])[0];
            let same = alone.iter().map(|component| component.to_bits());
            assert!(
                same.eq(together.iter().map(|component| component.to_bits())),
                "{text}"
            );
        }
    }
    texts.len()
}

/// The vectors of the golden texts, one at a time.
fn golden_vectors(model: &mut Model) -> Vec<Vec<f32>> {
    let texts = texts().iter();
    texts.flat_map(|text| model.encode(&[&text.text])).collect()
}

fn sentences() -> Vec<String> {
    let file = std::fs::read_to_string(path("../src/export/sentences.txt")).unwrap();
    file.lines().map(str::to_owned).collect()
}

fn sentence_vectors(model: &mut Model, sentences: &[String]) -> Vec<Vec<f32>> {
    let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
    let batches = sentences.chunks(SENTENCES_AT_ONCE);
    batches.flat_map(|batch| model.encode(batch)).collect()
}

#[test]
fn a_batch_changes_no_bit_of_real_vectors() {
    assert!(batches_change_no_bit(&mut int8("minilm"), 256, 24) > 45);
}

#[test]
fn a_batch_changes_no_bit_of_long_vectors() {
    assert!(batches_change_no_bit(&mut long_synthetic(512), 512, 1) > 200);
}

#[test]
fn a_batch_changes_no_bit_of_the_fixtures_vectors() {
    assert!(batches_change_no_bit(&mut int8("tiny-bert"), 32, 1) > 10);
    assert!(batches_change_no_bit(&mut int8("tiny-xlm-roberta"), 64, 1) > 20);
}

#[test]
fn int8_vectors_are_near_those_of_sentence_transformers_and_have_length_one() {
    // The weights of the fixtures are random, and nothing in their vectors is robust. One wrong position of a literal
    // `<pad>` brings that text's cosine below 0 and the fixture's mean below its bound.
    for (name, mean, worst) in [
        ("minilm", 0.9988, 0.994),
        ("tiny-xlm-roberta", 0.98, 0.7),
        ("tiny-bert", 0.9975, 0.985),
    ] {
        let vectors = golden_vectors(&mut int8(name));
        let expected = golden(name).embeddings;
        assert!(
            vectors
                .iter()
                .all(|vector| (length(vector) - 1.0).abs() < 1e-5)
        );
        let agreement = Agreement::of(&vectors, &expected);
        assert!(agreement.mean_cosine >= mean, "{name}: {agreement:?}");
        assert!(agreement.worst_cosine >= worst, "{name}: {agreement:?}");
    }
}

#[test]
fn int8_vectors_of_sentences_are_near_those_in_fp32() {
    let sentences = sentences();
    let [rounded, exact] = [Precision::Int8, Precision::Fp32].map(|precision| {
        let mut model = Model::export_in(&checkpoint("minilm"), "minilm", precision);
        sentence_vectors(&mut model, &sentences)
    });
    let agreement = Agreement::of(&rounded, &exact);
    assert!(agreement.mean_cosine >= 0.9994, "{agreement:?}");
    assert!(agreement.worst_cosine >= 0.9985, "{agreement:?}");
    assert!(agreement.top_10_overlap >= 0.975, "{agreement:?}");
}

#[test]
fn padding_that_a_text_spells_out_gets_the_positions_it_has_in_fp32() {
    let name = "tiny-xlm-roberta";
    let [mut rounded, mut exact] = [Precision::Int8, Precision::Fp32]
        .map(|precision| Model::export_in(&checkpoint(name), name, precision));
    for text in [
        "<pad>",
        "<pad> <pad> <pad> <pad> <pad> <pad> <pad> <pad> one",
        "one <pad> two <pad> three <pad><pad><pad> four",
        "<pad> one two three four five six seven eight",
        "one two three <pad>",
    ] {
        assert!(rounded.tokenizer.tokenize(text).unwrap().ids().contains(&1));
        let cosine = cosine(&rounded.encode(&[text])[0], &exact.encode(&[text])[0]);
        // A wrong position brings it below 0.
        assert!(cosine > 0.9, "{text}: {cosine}");
    }
}
