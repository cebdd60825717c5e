//! Checkpoints in the forms in which people save them give the tokens and the vectors of SentenceTransformer.

mod fixture;

use std::collections::BTreeSet;

pub use self::fixture::checkpoint;
use self::fixture::{golden, kinds, texts};
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
    names_may_be_those_of_tensorflow_and_of_a_masked_language_model "bert_from_tensorflow"
    a_vocabulary_may_have_grown_and_its_table_be_padded "bert_grown_vocabulary"
    keys_that_bert_does_not_have_are_its_defaults "bert_without_default_keys"
    keys_that_xlm_roberta_does_not_have_are_its_defaults "xlm_roberta_without_default_keys"
    bge_in_english_is_lower_case_bert "bge_en"
    bge_m3_is_xlm_roberta "bge_m3"
    arctic_embed_is_xlm_roberta_with_a_prompt_that_is_not_the_default "arctic_embed_l_v2"
    e5_base_is_xlm_roberta_with_mean_pooling "e5_base"
    e5_small_is_bert_behind_the_tokenizer_of_xlm_roberta "e5_small"
    roberta_has_positions_like_xlm_roberta "roberta_without_prefix_space"
    roberta_may_put_a_space_before_a_text "roberta_with_prefix_space"
    camembert_has_special_tokens_of_its_own "camembert"
}

#[test]
fn every_kind_of_checkpoint_has_a_test() {
    let tested: BTreeSet<String> = TESTED.iter().map(|&kind| kind.to_owned()).collect();
    assert_eq!(tested, kinds().into_iter().collect());
}
