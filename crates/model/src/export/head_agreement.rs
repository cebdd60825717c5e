//! How similar the sparse weights and the ColBERT vectors of two models are, for searches: by the heaviest tokens, and by the
//! scores of each text with the next.

use std::collections::BTreeSet;

use crate::outputs::{Encoded, SparseEmbedding, colbert_score};
use crate::report::{ColbertQuality, HeadQuality, ScoreErrors, SparseQuality};

/// Tokens of a text that are compared.
const HEAVIEST: usize = 10;

/// Compares what two models make of the same texts; `None` for a head that they do not have.
pub fn compare(found: &[Encoded], reference: &[Encoded]) -> HeadQuality {
    let sparse = both(found, reference, |encoded| encoded.sparse.as_ref());
    let colbert = both(found, reference, |encoded| encoded.colbert.as_ref());
    HeadQuality {
        sparse: sparse.map(|(found, reference)| SparseQuality {
            top_10_token_overlap: overlap(&found, &reference),
            lexical_score: score_errors(&found, &reference, SparseEmbedding::score),
        }),
        colbert: colbert.map(|(found, reference)| ColbertQuality {
            colbert_score: score_errors(&found, &reference, colbert_score),
        }),
    }
}

/// One output of every text by both models; `None` if a text lacks it.
fn both<'a, T: 'a>(
    found: &'a [Encoded],
    reference: &'a [Encoded],
    output: impl Fn(&'a Encoded) -> Option<&'a T> + Copy,
) -> Option<(Vec<&'a T>, Vec<&'a T>)> {
    let all = |encoded: &'a [Encoded]| encoded.iter().map(output).collect::<Option<Vec<_>>>();
    all(found).zip(all(reference))
}

/// Mean share of a text's heaviest tokens that both models have in common; texts without any token are left out.
fn overlap(found: &[&SparseEmbedding], reference: &[&SparseEmbedding]) -> f64 {
    let pairs = found.iter().zip(reference);
    let shares: Vec<f64> = pairs
        .filter(|(_, reference)| !reference.indices.is_empty())
        .map(|(found, reference)| {
            let (found, reference) = (heaviest(found), heaviest(reference));
            found.intersection(&reference).count() as f64 / reference.len() as f64
        })
        .collect();
    match shares.len() {
        0 => 1.0,
        texts => shares.iter().sum::<f64>() / texts as f64,
    }
}

fn heaviest(sparse: &SparseEmbedding) -> BTreeSet<u32> {
    let mut tokens: Vec<_> = sparse.indices.iter().zip(&sparse.values).collect();
    tokens.sort_by(|left, right| right.1.total_cmp(left.1));
    tokens
        .into_iter()
        .take(HEAVIEST)
        .map(|(id, _)| *id)
        .collect()
}

/// Errors of the scores of each text with the next, the last with the first.
fn score_errors<T>(found: &[&T], reference: &[&T], score: fn(&T, &T) -> f32) -> ScoreErrors {
    let scores = |texts: &[&T]| -> Vec<f64> {
        let next = texts.iter().cycle().skip(1);
        let pairs = texts.iter().zip(next);
        pairs.map(|(text, next)| score(text, next).into()).collect()
    };
    let errors = scores(found).into_iter().zip(scores(reference));
    let errors: Vec<f64> = errors
        .map(|(found, reference)| (found - reference).abs())
        .collect();
    ScoreErrors {
        mean: errors.iter().sum::<f64>() / errors.len().max(1) as f64,
        worst: errors.into_iter().fold(0.0, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn encoded(weights: &[(u32, f32)], vector: [f32; 2]) -> Encoded {
        let (indices, values) = weights.iter().copied().unzip();
        Encoded {
            dense: None,
            sparse: Some(SparseEmbedding { indices, values }),
            colbert: Some(array![vector]),
        }
    }

    #[test]
    fn equal_models_agree_completely() {
        let texts = [
            encoded(&[(1, 0.5), (2, 0.25)], [1.0, 0.0]),
            encoded(&[], [0.0, 1.0]),
        ];
        let quality = compare(&texts, &texts);
        let sparse = quality.sparse.unwrap();
        assert_eq!(sparse.top_10_token_overlap, 1.0);
        assert_eq!(
            (sparse.lexical_score.mean, sparse.lexical_score.worst),
            (0.0, 0.0)
        );
        assert_eq!(quality.colbert.unwrap().colbert_score.worst, 0.0);
    }

    #[test]
    fn only_the_ten_heaviest_tokens_count() {
        let weights: Vec<(u32, f32)> = (0..12).map(|id| (id, 1.0 + id as f32)).collect();
        let mut moved = weights.clone();
        // The lightest becomes the heaviest, and so the second of the others is not among the ten any more.
        moved[0].1 = 20.0;
        let quality = compare(
            &[encoded(&moved, [1.0, 0.0])],
            &[encoded(&weights, [1.0, 0.0])],
        );
        assert_eq!(quality.sparse.unwrap().top_10_token_overlap, 0.9);
    }

    #[test]
    fn the_error_of_a_score_is_the_difference_of_the_two_models() {
        let text = |weight| encoded(&[(7, weight)], [1.0, 0.0]);
        let quality = compare(&[text(1.0), text(1.0)], &[text(1.0), text(0.5)]);
        assert_eq!(quality.sparse.unwrap().lexical_score.worst, 0.5);
    }

    #[test]
    fn a_model_without_heads_has_no_quality_of_them() {
        let quality = compare(&[Encoded::default()], &[Encoded::default()]);
        assert_eq!(
            quality,
            HeadQuality {
                sparse: None,
                colbert: None
            }
        );
    }
}
