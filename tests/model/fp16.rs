//! Weights in halves give SentenceTransformer's vectors.

use model::Precision;
use model::export::Agreement;

use super::sentences::sentence_vectors;
use crate::support::golden::{golden, length};
use crate::support::models::{Model, checkpoint};

fn fp16(name: &str) -> Model {
    Model::export_in(&checkpoint(name), name, Precision::Fp16)
}

#[test]
fn fp16_vectors_are_those_of_sentence_transformers_and_have_length_one() {
    // The weights of the fixtures are random, and nothing in their vectors is robust.
    for (name, worst) in [
        ("minilm", 0.999_999),
        ("tiny-xlm-roberta", 0.9998),
        ("tiny-bert", 0.9999),
    ] {
        let vectors = fp16(name).encode_golden();
        assert!(
            vectors
                .iter()
                .all(|vector| (length(vector) - 1.0).abs() < 1e-5)
        );
        let agreement = Agreement::of(&vectors, &golden(name).embeddings);
        assert!(agreement.worst_cosine >= worst, "{name}: {agreement:?}");
    }
}

#[test]
fn fp16_vectors_of_sentences_are_those_in_fp32() {
    let [rounded, exact] = [Precision::Fp16, Precision::Fp32].map(sentence_vectors);
    let agreement = Agreement::of(&rounded, &exact);
    assert!(agreement.mean_cosine >= 1.0 - 2e-7, "{agreement:?}");
    assert!(agreement.worst_cosine >= 1.0 - 1e-6, "{agreement:?}");
    assert!(rounded != exact, "the weights were not rounded");
}
