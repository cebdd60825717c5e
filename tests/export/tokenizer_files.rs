//! A checkpoint's tokenizer must fit its weights, and its two descriptions each other.

use serde_json::json;

use super::refusals::{copy, edit_json, refusal};
use crate::checkpoints::checkpoint as checkpoint_of_kind;

#[test]
fn a_token_without_a_row_in_the_word_embeddings_is_named() {
    let checkpoint = copy();
    edit_json(&checkpoint.path().join("tokenizer.json"), |tokenizer| {
        let token = json!({
            "id": 9_999, "content": "<new>", "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        });
        tokenizer["added_tokens"]
            .as_array_mut()
            .unwrap()
            .push(token);
    });
    let message = refusal(checkpoint.path());
    assert!(
        message.contains("tokenizer.json has the token \"<new>\"") && message.contains("rows"),
        "{message}"
    );
}

#[test]
fn a_tokenizer_that_transformers_would_change_is_refused() {
    for (kind, key, value) in [
        ("bge_en", "do_lower_case", json!(false)),
        ("bge_en", "strip_accents", json!(false)),
        ("bge_en", "tokenize_chinese_chars", json!(false)),
        (
            "roberta_without_prefix_space",
            "add_prefix_space",
            json!(true),
        ),
        ("roberta_with_prefix_space", "add_prefix_space", json!(null)),
    ] {
        let checkpoint = checkpoint_of_kind(kind);
        edit_json(&checkpoint.path().join("tokenizer_config.json"), |config| {
            config[key] = value;
        });
        let message = refusal(checkpoint.path());
        assert!(
            message.contains(&format!("tokenizer_config.json means {key}"))
                && message.contains("tokenizer.json has"),
            "{kind}: {message}"
        );
    }
}
