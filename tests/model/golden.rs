//! The same texts give the same tokens and the same vectors as SentenceTransformer on PyTorch in fp32.

use crate::support::golden::{cosine, golden, length, texts};
use crate::support::models::{Model, checkpoint};

/// Smallest cosine between our vector and SentenceTransformer's.
const SMALLEST_COSINE: f64 = 0.999_999;
/// Largest distance of a vector's length from 1.
const LARGEST_DIFFERENCE: f32 = 1e-5;

fn tokens_are_golden(name: &str) {
    let model = Model::export(&checkpoint(name), name);
    let golden = golden(name);
    for (text, expected) in texts().iter().zip(&golden.token_ids) {
        let tokens = model.tokenizer.tokenize(&text.text).unwrap();
        assert_eq!(tokens.ids(), expected, "{name}: {}", text.name);
    }
}

fn vectors_are_golden(name: &str) {
    let mut model = Model::export(&checkpoint(name), name);
    let golden = golden(name);
    let mut wrong = Vec::new();
    for (text, expected) in texts().iter().zip(&golden.embeddings) {
        let vector = &model.encode(&[&text.text])[0];
        let cosine = cosine(vector, expected);
        let length = length(vector);
        if cosine < SMALLEST_COSINE || (length - 1.0).abs() > LARGEST_DIFFERENCE {
            wrong.push(format!(
                "{}: cosine {cosine:.8}, length {length}",
                text.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{name}: {wrong:?}");
}

fn batching_changes_nothing(name: &str) {
    let mut model = Model::export(&checkpoint(name), name);
    let texts: Vec<&str> = texts().iter().map(|text| text.text.as_str()).collect();
    let together = model.encode(&texts);
    for (text, together) in texts.iter().zip(together) {
        assert_eq!(model.encode(&[text])[0], together, "{name}: {text:.40}");
    }
}

macro_rules! golden_tests {
    ($($module:ident $name:literal)*) => {$(
        mod $module {
            #[test]
            fn tokens_equal_those_of_sentence_transformers() {
                super::tokens_are_golden($name);
            }

            #[test]
            fn vectors_equal_those_of_sentence_transformers() {
                super::vectors_are_golden($name);
            }

            #[test]
            fn batching_does_not_change_vectors() {
                super::batching_changes_nothing($name);
            }
        }
    )*};
}

golden_tests! {
    minilm "minilm"
    bert "tiny-bert"
    xlm_roberta "tiny-xlm-roberta"
}
