//! From token vectors to a text's vector, for graphs that stop at the token vectors.
//!
//! Pure functions of arrays. A graph of our own exporter does the same inside itself, so this serves only model
//! directories from elsewhere.

use ndarray::{Array1, ArrayView1, ArrayView2, Axis};

use super::sentence_transformers::Pooling;

/// Pools `[sequence, dimensions]` token vectors, of which the first `tokens` (at least one) are the text's own.
pub fn pool(token_vectors: ArrayView2<'_, f32>, tokens: usize, pooling: Pooling) -> Array1<f32> {
    match pooling {
        Pooling::Cls => token_vectors.row(0).to_owned(),
        Pooling::Mean => {
            let own = token_vectors.slice(ndarray::s![..tokens, ..]);
            own.sum_axis(Axis(0)) / tokens as f32
        }
    }
}

/// Scales a vector to length 1, as `torch.nn.functional.normalize` does: a null vector stays null.
pub fn normalize(vector: ArrayView1<'_, f32>) -> Vec<f32> {
    const SMALLEST_NORM: f32 = 1e-12;
    let norm = vector.dot(&vector).sqrt().max(SMALLEST_NORM);
    vector.iter().map(|component| component / norm).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn cls_pooling_takes_the_first_token_and_mean_pooling_leaves_padding_out() {
        let vectors = array![[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]];
        assert_eq!(pool(vectors.view(), 2, Pooling::Cls), array![1.0, 2.0]);
        assert_eq!(pool(vectors.view(), 2, Pooling::Mean), array![2.0, 4.0]);
    }

    #[test]
    fn a_normalized_vector_has_length_one_and_a_null_vector_stays_null() {
        assert_eq!(normalize(array![3.0, 4.0].view()), vec![0.6, 0.8]);
        assert_eq!(normalize(array![0.0, 0.0].view()), vec![0.0, 0.0]);
    }
}
