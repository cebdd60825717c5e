//! A vector is its text's alone: the rest of a batch changes no bit of it, in either precision.

use std::collections::{BTreeMap, VecDeque};

use bench::synthetic::{Size, write_checkpoint};
use model::Precision;

use crate::support::models::{Model, checkpoint};

/// Tokens after which a batch is full, as in the engine.
const BATCH_TOKENS: usize = 512;
/// A model of XLM-RoBERTa's kind with random weights that takes texts of `max_tokens` tokens.
fn long_synthetic(max_tokens: usize, precision: Precision) -> Model {
    let folder = tempfile::tempdir().unwrap();
    // Two rows of the position table stand before a text's first position.
    let size = Size {
        positions: max_tokens + 2,
        ..Size::SMALL
    };
    write_checkpoint(folder.path(), size).unwrap();
    Model::export_in(folder.path(), "synthetic", precision)
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

fn export(name: &str, precision: Precision) -> Model {
    Model::export_in(&checkpoint(name), name, precision)
}

macro_rules! batch_tests {
    ($($module:ident $precision:expr)*) => {$(
        mod $module {
            use super::*;

            #[test]
            fn a_batch_changes_no_bit_of_real_vectors() {
                let mut model = export("minilm", $precision);
                assert!(batches_change_no_bit(&mut model, 256, 24) > 45);
            }

            #[test]
            fn a_batch_changes_no_bit_of_long_vectors() {
                let mut model = long_synthetic(512, $precision);
                assert!(batches_change_no_bit(&mut model, 512, 1) > 200);
            }

            #[test]
            fn a_batch_changes_no_bit_of_the_fixtures_vectors() {
                let mut model = export("tiny-bert", $precision);
                assert!(batches_change_no_bit(&mut model, 32, 1) > 10);
                let mut model = export("tiny-xlm-roberta", $precision);
                assert!(batches_change_no_bit(&mut model, 64, 1) > 20);
            }
        }
    )*};
}

batch_tests! {
    fp16 Precision::Fp16
    fp32 Precision::Fp32
    int8 Precision::Int8
}
