//! Pooling and normalization: from token vectors to a text's vector.
//!
//! Pure functions of arrays, for graphs of other exporters, which output token vectors. Graphs exported by this crate
//! contain both steps.

use ndarray::{Array1, ArrayView1, ArrayView2, Axis};

use crate::sentence_transformers::Pooling;
use kernels::rows::SMALLEST_NORM;

/// Pools token vectors `[sequence, dimensions]`. The first `tokens` rows, at least one, are the text's; the rest is padding.
pub fn pool(token_vectors: ArrayView2<'_, f32>, tokens: usize, pooling: Pooling) -> Array1<f32> {
    match pooling {
        Pooling::Cls => token_vectors.row(0).to_owned(),
        Pooling::Mean => {
            let of_text = token_vectors.slice(ndarray::s![..tokens, ..]);
            of_text.sum_axis(Axis(0)) / tokens as f32
        }
    }
}

/// Scales a vector to length 1, like `torch.nn.functional.normalize`; a zero vector stays zero.
pub fn normalize(vector: ArrayView1<'_, f32>) -> Vec<f32> {
    let norm = vector.dot(&vector).sqrt().max(SMALLEST_NORM);
    vector.iter().map(|component| component / norm).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn cls_pooling_takes_the_first_token_and_mean_pooling_ignores_padding() {
        let vectors = array![[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]];
        assert_eq!(pool(vectors.view(), 2, Pooling::Cls), array![1.0, 2.0]);
        assert_eq!(pool(vectors.view(), 2, Pooling::Mean), array![2.0, 4.0]);
    }

    #[test]
    fn a_normalized_vector_has_length_one_and_a_zero_vector_stays_zero() {
        assert_eq!(normalize(array![3.0, 4.0].view()), vec![0.6, 0.8]);
        assert_eq!(normalize(array![0.0, 0.0].view()), vec![0.0, 0.0]);
    }
}
