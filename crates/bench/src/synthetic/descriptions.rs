//! The JSON files of a checkpoint, in the format of Hugging Face and SentenceTransformers.

use serde_json::{Value, json};

use super::size::Size;

/// Path in the checkpoint and content of every file.
pub fn all(size: Size) -> [(&'static str, String); 4] {
    [
        ("config.json", transformer(size)),
        ("modules.json", modules()),
        ("sentence_bert_config.json", limits(size)),
        ("1_Pooling/config.json", pooling(size)),
    ]
    .map(|(path, json)| (path, format!("{json:#}\n")))
}

fn transformer(size: Size) -> Value {
    json!({
        "architectures": ["XLMRobertaModel"],
        "attention_probs_dropout_prob": 0.1,
        "bos_token_id": 0,
        "dtype": "float32",
        "eos_token_id": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": size.hidden,
        "intermediate_size": size.intermediate,
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": size.positions,
        "model_type": "xlm-roberta",
        "num_attention_heads": size.heads,
        "num_hidden_layers": size.layers,
        "pad_token_id": 1,
        "position_embedding_type": "absolute",
        "type_vocab_size": 1,
        "vocab_size": size.vocabulary,
    })
}

fn modules() -> Value {
    let modules = [
        ("", "Transformer"),
        ("1_Pooling", "Pooling"),
        ("2_Normalize", "Normalize"),
    ];
    modules
        .into_iter()
        .enumerate()
        .map(|(index, (path, kind))| {
            json!({
                "idx": index,
                "name": index.to_string(),
                "path": path,
                "type": format!("sentence_transformers.models.{kind}"),
            })
        })
        .collect()
}

fn limits(size: Size) -> Value {
    json!({"max_seq_length": size.max_tokens(), "do_lower_case": false})
}

fn pooling(size: Size) -> Value {
    json!({
        "word_embedding_dimension": size.hidden,
        "pooling_mode_cls_token": true,
        "pooling_mode_mean_tokens": false,
        "pooling_mode_max_tokens": false,
        "pooling_mode_mean_sqrt_len_tokens": false,
    })
}
