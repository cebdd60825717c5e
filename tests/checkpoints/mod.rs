//! Checkpoints in the forms in which people save them give the tokens and the vectors of SentenceTransformer.

mod commands;
mod fixture;

use std::collections::BTreeSet;

use model::export::Options;
use model::{ModelDirectory, Pooling, Precision};

pub use self::fixture::checkpoint;
use self::fixture::{golden, kinds, texts};
use crate::support::golden::{cosine, length, path};
use crate::support::models::{Model, copy_into};

/// Smallest cosine between our vector and SentenceTransformer's.
const SMALLEST_COSINE: f64 = 0.999_999;
/// Largest distance of a vector's length from 1.
const LARGEST_DIFFERENCE: f32 = 1e-5;

/// Exports a kind and compares tokens and vectors of every text.
fn is_golden(kind: &str, pooling: Option<Pooling>) {
    let options = Options {
        name: kind.to_owned(),
        revision: None,
        precision: Precision::Fp32,
        pooling,
    };
    let checkpoint = checkpoint(kind);
    gives_golden(&mut Model::export_with(checkpoint.path(), &options), kind);
}

/// Compares tokens and vectors of every text.
fn gives_golden(model: &mut Model, kind: &str) {
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
    (@pooling) => { None };
    (@pooling $pooling:ident) => { Some(Pooling::$pooling) };
    ($($sentence:ident $kind:literal $($pooling:ident)?;)*) => {
        /// The kinds that have a test.
        const TESTED: &[&str] = &[$($kind),*];

        $(
            #[test]
            fn $sentence() {
                is_golden($kind, golden_tests!(@pooling $($pooling)?));
            }
        )*
    };
}

// Each test exports the kind of this name, with this pooling, and compares it with SentenceTransformer.
golden_tests! {
    weights_may_be_float16 "bert_float16";
    weights_may_be_bfloat16 "bert_bfloat16";
    weights_may_be_float64 "bert_float64";
    tensors_may_be_of_several_types "bert_mixed_types";
    weights_may_be_sharded "bert_sharded";
    names_may_be_those_of_tensorflow_and_of_a_masked_language_model "bert_from_tensorflow";
    a_vocabulary_may_have_grown_and_its_table_be_padded "bert_grown_vocabulary";
    keys_that_bert_does_not_have_are_its_defaults "bert_without_default_keys";
    keys_that_xlm_roberta_does_not_have_are_its_defaults "xlm_roberta_without_default_keys";
    bge_in_english_is_lower_case_bert "bge_en";
    bge_m3_is_xlm_roberta "bge_m3";
    arctic_embed_is_xlm_roberta_with_a_prompt_that_is_not_the_default "arctic_embed_l_v2";
    e5_base_is_xlm_roberta_with_mean_pooling "e5_base";
    e5_small_is_bert_behind_the_tokenizer_of_xlm_roberta "e5_small";
    roberta_has_positions_like_xlm_roberta "roberta_without_prefix_space";
    roberta_may_put_a_space_before_a_text "roberta_with_prefix_space";
    camembert_has_special_tokens_of_its_own "camembert";
    what_the_newest_release_saves_is_read "saved_by_this_release";
    a_pooling_may_be_a_list_of_one_mode "pooling_listed";
    a_pooling_without_any_mode_is_the_mean "pooling_all_switches_off";
    the_name_of_a_mode_counts_and_not_the_switches "pooling_in_both_forms";
    the_tokenizers_limit_counts_without_another "limit_of_tokenizer";
    a_tokenizer_without_a_limit_leaves_that_of_the_positions "limit_of_positions";
    truncation_in_the_tokenizer_itself_is_no_limit "limit_beside_truncation";
    the_limit_may_stand_in_a_file_of_another_name "limit_in_second_name";
    an_argument_of_the_tokenizer_is_the_limit "limit_in_tokenizer_arguments";
    positions_begin_after_the_paddings "limit_of_positions_after_padding";
    a_limit_above_the_positions_is_theirs "limit_above_positions";
    the_default_prompt_precedes_every_text "prompt_by_default";
    a_prompt_that_is_not_the_default_precedes_none "prompts_without_default";
    vectors_have_length_1_without_a_normalize_module_too "without_normalize";
    a_transformer_alone_is_pooled_by_the_mean_if_that_is_asked_for "without_modules_mean" Mean;
    a_transformer_alone_is_pooled_by_cls_if_that_is_asked_for "without_modules_cls" Cls;
}

/// A kind of tiny-bert's weights, with the graph that another exporter made of them.
fn foreign(kind: &str) -> tempfile::TempDir {
    let directory = checkpoint(kind);
    let graph = path("fixtures/foreign-bert");
    copy_into(directory.path(), &graph, &["onnx/model.onnx"]);
    directory
}

#[test]
fn a_graph_of_another_exporter_follows_the_same_files() {
    for kind in [
        "saved_by_this_release",
        "pooling_listed",
        "limit_of_tokenizer",
        "limit_of_positions",
        "limit_in_second_name",
        "without_normalize",
    ] {
        gives_golden(&mut Model::load(foreign(kind)), kind);
    }
}

#[test]
fn a_graph_of_another_exporter_without_modules_is_pooled_as_asked() {
    let kind = "without_modules_mean";
    let directory = foreign(kind);
    let message = ModelDirectory::open(directory.path())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("modules.json") && message.contains("--pooling"),
        "{message}"
    );
    gives_golden(
        &mut Model::load_pooled(directory, Some(Pooling::Mean)),
        kind,
    );
}

#[test]
fn texts_end_where_positions_end_in_a_graph_of_another_exporter_too() {
    for kind in ["limit_of_positions_after_padding", "limit_above_positions"] {
        let description = ModelDirectory::open(foreign(kind).path())
            .unwrap()
            .description;
        assert_eq!(description.max_tokens.get(), 64, "{kind}");
    }
}

#[test]
fn every_kind_of_checkpoint_has_a_test() {
    let tested: BTreeSet<String> = TESTED.iter().map(|&kind| kind.to_owned()).collect();
    assert_eq!(tested, kinds().into_iter().collect());
}
