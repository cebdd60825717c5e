//! Rounded models: a vector has length 1 and is close to the fp32 vector.

use model::Precision;
use model::export::Agreement;

use super::sentences::sentence_vectors;
use crate::support::golden::{golden, length};
use crate::support::models::{Model, checkpoint};

fn int8(name: &str) -> Model {
    Model::export_in(&checkpoint(name), name, Precision::Int8)
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
        let vectors = int8(name).encode_golden();
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
    let [rounded, exact] = [Precision::Int8, Precision::Fp32].map(sentence_vectors);
    let agreement = Agreement::of(&rounded, &exact);
    assert!(agreement.mean_cosine >= 0.9994, "{agreement:?}");
    assert!(agreement.worst_cosine >= 0.9985, "{agreement:?}");
    assert!(agreement.top_10_overlap >= 0.975, "{agreement:?}");
}
