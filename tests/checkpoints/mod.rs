//! Checkpoints in the forms in which people save them give the tokens and the vectors of SentenceTransformer.

mod fixture;

use std::collections::BTreeSet;

use self::fixture::{checkpoint, golden, kinds, texts};
use crate::support::golden::{cosine, length};
use crate::support::models::Model;

/// Smallest cosine between our vector and SentenceTransformer's.
const SMALLEST_COSINE: f64 = 0.999_999;
/// Largest distance of a vector's length from 1.
const LARGEST_DIFFERENCE: f32 = 1e-5;

/// Exports a kind and compares tokens and vectors of every text.
fn is_golden(kind: &str) {
    let checkpoint = checkpoint(kind);
    let mut model = Model::export(checkpoint.path(), kind);
    let golden = golden(kind);
    for ((text, ids), expected) in texts()
        .into_iter()
        .zip(golden.token_ids)
        .zip(golden.embeddings)
    {
        let tokens = model.tokenizer.tokenize(text).unwrap();
        assert_eq!(tokens.ids(), ids, "{kind}: {text:.40}");
        let vector = &model.encode(&[text])[0];
        let (cosine, length) = (cosine(vector, &expected), length(vector));
        assert!(
            cosine >= SMALLEST_COSINE && (length - 1.0).abs() <= LARGEST_DIFFERENCE,
            "{kind}: {text:.40}: cosine {cosine:.8}, length {length}"
        );
    }
}

macro_rules! golden_tests {
    ($($sentence:ident $kind:literal)*) => {
        /// The kinds that have a test.
        const TESTED: &[&str] = &[$($kind),*];

        $(
            #[test]
            fn $sentence() {
                is_golden($kind);
            }
        )*
    };
}

// Each test exports the kind of this name and compares it with SentenceTransformer.
golden_tests! {
    weights_may_be_float16 "bert_float16"
    weights_may_be_bfloat16 "bert_bfloat16"
    weights_may_be_float64 "bert_float64"
    tensors_may_be_of_several_types "bert_mixed_types"
    weights_may_be_sharded "bert_sharded"
}

#[test]
fn every_kind_of_checkpoint_has_a_test() {
    let tested: BTreeSet<String> = TESTED.iter().map(|&kind| kind.to_owned()).collect();
    assert_eq!(tested, kinds().into_iter().collect());
}
