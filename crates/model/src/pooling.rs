//! Pooling: from token vectors to a text's vector.
//!
//! A pure function of arrays, for graphs of other exporters, which output token vectors. Graphs exported by this crate contain
//! this step.

use ndarray::{Array1, ArrayView2, Axis};

use crate::sentence_transformers::Pooling;

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
}
