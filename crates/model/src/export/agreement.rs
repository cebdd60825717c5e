//! How similar the vectors of two models are.
//!
//! Owns the metrics. They depend only on two lists of vectors, which belong to the same texts in the same order.

use std::collections::BTreeSet;

use ndarray::{Array2, ArrayView1};

use crate::outputs::Embedding;

/// Nearest neighbours that are compared for each text.
const NEIGHBOURS: usize = 10;

/// How similar two models' vectors of the same texts are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Mean cosine between the two vectors of a text.
    pub mean_cosine: f64,
    /// Smallest cosine between the two vectors of a text.
    pub worst_cosine: f64,
    /// Mean share of a text's ten nearest neighbours that both models have in common.
    pub top_10_overlap: f64,
}

impl Agreement {
    /// Compares the vectors of two models for the same texts, of which there is at least one.
    pub fn of(found: &[Embedding], reference: &[Embedding]) -> Self {
        let cosines: Vec<f64> = found
            .iter()
            .zip(reference)
            .map(|(found, reference)| cosine(found, reference))
            .collect();
        Self {
            mean_cosine: mean(&cosines),
            worst_cosine: cosines.iter().copied().fold(1.0, f64::min),
            top_10_overlap: overlap(&neighbours(found), &neighbours(reference)),
        }
    }
}

fn cosine(left: &[f32], right: &[f32]) -> f64 {
    dot(left, right) / (dot(left, left) * dot(right, right)).sqrt()
}

fn dot(left: &[f32], right: &[f32]) -> f64 {
    left.iter()
        .zip(right)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// For each unit vector, the indices of its nearest neighbours, without itself.
fn neighbours(vectors: &[Embedding]) -> Vec<BTreeSet<usize>> {
    let width = vectors.first().map_or(0, Vec::len);
    let matrix =
        Array2::from_shape_fn((vectors.len(), width), |(row, column)| vectors[row][column]);
    let similarities = matrix.dot(&matrix.t());
    let rows = similarities.rows().into_iter().enumerate();
    rows.map(|(own, row)| nearest(own, row)).collect()
}

fn nearest(own: usize, similarities: ArrayView1<'_, f32>) -> BTreeSet<usize> {
    let mut others: Vec<usize> = (0..similarities.len())
        .filter(|&index| index != own)
        .collect();
    others.sort_by(|&left, &right| similarities[right].total_cmp(&similarities[left]));
    others.into_iter().take(NEIGHBOURS).collect()
}

/// Mean share of the reference's neighbours that are also found; 1 where there are none.
fn overlap(found: &[BTreeSet<usize>], reference: &[BTreeSet<usize>]) -> f64 {
    let shares: Vec<f64> = found
        .iter()
        .zip(reference)
        .map(|(found, reference)| match reference.len() {
            0 => 1.0,
            count => found.intersection(reference).count() as f64 / count as f64,
        })
        .collect();
    mean(&shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unit vectors on a quarter of a circle, at these fractions of it.
    fn vectors(positions: &[f32]) -> Vec<Embedding> {
        let quarter = std::f32::consts::FRAC_PI_2;
        positions
            .iter()
            .map(|position| vec![(position * quarter).cos(), (position * quarter).sin()])
            .collect()
    }

    #[test]
    fn equal_vectors_agree_completely() {
        let vectors = vectors(&[0.0, 0.1, 0.5, 0.7, 1.0]);
        let agreement = Agreement::of(&vectors, &vectors);
        assert!((agreement.mean_cosine - 1.0).abs() < 1e-12);
        assert!((agreement.worst_cosine - 1.0).abs() < 1e-12);
        assert_eq!(agreement.top_10_overlap, 1.0);
    }

    #[test]
    fn a_single_text_has_no_neighbours_to_disagree_about() {
        let agreement = Agreement::of(&vectors(&[0.0]), &vectors(&[1.0 / 3.0]));
        assert!((agreement.mean_cosine - 0.75_f64.sqrt()).abs() < 1e-6);
        assert_eq!(agreement.top_10_overlap, 1.0);
    }

    #[test]
    fn cosines_are_those_of_each_text_whatever_the_lengths_of_the_vectors() {
        let found = [vec![2.0, 0.0], vec![0.0, 3.0]];
        let reference = [vec![1.0, 0.0], vec![0.6, 0.8]];
        let agreement = Agreement::of(&found, &reference);
        assert!((agreement.mean_cosine - 0.9).abs() < 1e-6);
        assert!((agreement.worst_cosine - 0.8).abs() < 1e-6);
    }

    #[test]
    fn overlap_counts_the_neighbours_in_common() {
        // Each of twelve texts has eleven others, of which the farthest is not a neighbour.
        let positions: Vec<f32> = (0..12).map(|index| index as f32 / 11.0).collect();
        let mut moved = positions.clone();
        moved.swap(0, 11);
        let agreement = Agreement::of(&vectors(&moved), &vectors(&positions));
        // The ten in the middle have the other end as a neighbour; the two ends are still not neighbours.
        let expected = (10.0 * 0.9 + 2.0) / 12.0;
        assert!(
            (agreement.top_10_overlap - expected).abs() < 1e-12,
            "{agreement:?}"
        );
    }
}
