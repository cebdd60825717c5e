//! What SentenceTransformers' files ask for and an exported model would not do is refused by its name.

use std::path::Path;

use model::export::{self, Options};
use model::{Pooling, Precision};
use serde_json::{Value, json};

use super::refusals::{copy, edit_json, refusal};

/// The message of the refusal of a checkpoint, one of whose files is written anew.
fn refusal_of(file: &str, content: &Value) -> String {
    let checkpoint = copy();
    let path = checkpoint.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content.to_string()).unwrap();
    refusal(checkpoint.path())
}

#[test]
fn a_pooling_that_is_not_supported_is_refused_by_its_name() {
    const FILE: &str = "1_Pooling/config.json";
    for (content, named) in [
        (
            json!({"pooling_mode_lasttoken": true}),
            "pooling_mode_lasttoken;",
        ),
        (
            json!({"pooling_mode_max_tokens": true}),
            "pooling_mode_max_tokens;",
        ),
        (
            json!({"pooling_mode_weightedmean_tokens": true}),
            "pooling_mode_weightedmean_tokens;",
        ),
        (
            json!({"pooling_mode_mean_sqrt_len_tokens": true}),
            "pooling_mode_mean_sqrt_len_tokens;",
        ),
        (
            json!({"pooling_mode_of_later": true}),
            "pooling_mode_of_later;",
        ),
        (
            json!({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}),
            "pooling_mode_cls_token and pooling_mode_mean_tokens;",
        ),
        (json!({"pooling_mode": "lasttoken"}), "lasttoken;"),
        (json!({"pooling_mode": ["cls", "mean"]}), "cls and mean;"),
    ] {
        let message = refusal_of(FILE, &content);
        assert!(
            message.contains(FILE) && message.contains(named),
            "{content}: {message}"
        );
    }
}

#[test]
fn other_requests_that_are_not_supported_are_refused_by_their_names() {
    const MODEL: &str = "config_sentence_transformers.json";
    const TRANSFORMER: &str = "sentence_bert_config.json";
    const TOKENIZER: &str = "tokenizer_config.json";
    for (file, content, named) in [
        (
            MODEL,
            json!({"prompts": {"query": "q: "}, "default_prompt_name": "passage"}),
            "default_prompt_name \"passage\"",
        ),
        (MODEL, json!({"truncate_dim": 16}), "truncate_dim 16"),
        (
            MODEL,
            json!({"model_type": "SparseEncoder"}),
            "SparseEncoder",
        ),
        (TRANSFORMER, json!({"do_lower_case": true}), "do_lower_case"),
        (TRANSFORMER, json!({"max_seq_length": 0}), "0 tokens"),
        (
            TRANSFORMER,
            json!({"transformer_task": "fill-mask"}),
            "transformer_task \"fill-mask\"",
        ),
        (
            TRANSFORMER,
            json!({"processing_kwargs": {"text": {"max_length": 5}}}),
            "processing_kwargs of \"text\"",
        ),
        (
            TOKENIZER,
            json!({"truncation_side": "left"}),
            "truncation_side",
        ),
        (
            "2_Normalize/config.json",
            json!({"module_input_name": "token_embeddings"}),
            "Normalize",
        ),
    ] {
        let message = refusal_of(file, &content);
        let file = if named == "Normalize" {
            "modules.json"
        } else {
            file
        };
        assert!(
            message.contains(file) && message.contains(named),
            "{content}: {message}"
        );
    }
}

#[test]
fn a_module_that_is_not_supported_is_refused_by_its_class() {
    for (class, path) in [
        ("sentence_transformers.models.Dense", "2_Dense"),
        ("sentence_transformers.base.modules.dense.Dense", "2_Dense"),
        ("sentence_transformers.models.LayerNorm", "2_LayerNorm"),
        ("code_of_the_checkpoint.Pooling", "1_Pooling"),
        ("sentence_transformers.models.Transformer", "0_Transformer"),
    ] {
        let modules = json!([{"idx": 0, "name": "0", "path": path, "type": class}]);
        let message = refusal_of("modules.json", &modules);
        let named = if path.starts_with('0') { path } else { class };
        assert!(
            message.contains("modules.json") && message.contains(named),
            "{class}: {message}"
        );
    }
}

#[test]
fn a_default_prompt_whose_tokens_are_not_pooled_is_refused() {
    let checkpoint = copy();
    edit_json(
        &checkpoint.path().join("1_Pooling/config.json"),
        |pooling| {
            pooling["include_prompt"] = json!(false);
        },
    );
    let prompts = |default: Value| {
        let content = json!({"prompts": {"query": "q: "}, "default_prompt_name": default});
        let path = checkpoint.path().join("config_sentence_transformers.json");
        std::fs::write(path, content.to_string()).unwrap();
    };
    prompts(json!("query"));
    let message = refusal(checkpoint.path());
    assert!(message.contains("include_prompt"), "{message}");
    prompts(json!("document"));
    let target = tempfile::tempdir().unwrap();
    export_pooled(checkpoint.path(), target.path(), None).unwrap();
}

#[test]
fn another_pooling_than_the_files_say_is_refused() {
    let target = tempfile::tempdir().unwrap();
    let error = export_pooled(copy().path(), target.path(), Some(Pooling::Mean)).unwrap_err();
    assert!(
        error.to_string().contains("cls pooling, not mean"),
        "{error}"
    );
}

#[test]
fn a_transformer_alone_is_refused_with_what_reads_it() {
    let checkpoint = copy();
    std::fs::remove_file(checkpoint.path().join("modules.json")).unwrap();
    let message = refusal(checkpoint.path());
    for part in ["modules.json", "--pooling", "FlagEmbedding"] {
        assert!(message.contains(part), "{message}");
    }
}

fn export_pooled(
    checkpoint: &Path,
    target: &Path,
    pooling: Option<Pooling>,
) -> Result<model::Description, export::Error> {
    let options = Options {
        name: "pooled".to_owned(),
        revision: None,
        precision: Precision::Fp32,
        pooling,
    };
    export::export(checkpoint, target, &options)
}
