//! Which files hold a checkpoint's weights: shards are as good as one file, and what cannot be read says what it is.

use model::{ModelDirectory, Precision};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::refusals::{copy, edit_json, refusal};
use crate::checkpoints::checkpoint as checkpoint_of_kind;
use crate::support::models::exported;

const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const WORDS: &str = "embeddings.word_embeddings.weight";

#[test]
fn shards_give_the_same_model_as_one_file_and_their_digest_is_over_all() {
    let (sharded, single) = (
        checkpoint_of_kind("bert_sharded"),
        checkpoint_of_kind("bert_float16"),
    );
    let (from_shards, from_file) = (
        exported(sharded.path(), Precision::Fp32),
        exported(single.path(), Precision::Fp32),
    );
    for file in ["model.onnx", "model.onnx.data", "tokenizer.json"] {
        let [left, right] =
            [&from_shards, &from_file].map(|model| std::fs::read(model.path().join(file)).unwrap());
        assert!(left == right, "{file}");
    }
    let shards = [1, 2].map(|number| format!("model-0000{number}-of-00002.safetensors"));
    let bytes = shards.map(|shard| std::fs::read(sharded.path().join(shard)).unwrap());
    let digest = Sha256::digest(bytes.concat());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let description = ModelDirectory::open(from_shards.path())
        .unwrap()
        .description;
    assert_eq!(description.source_sha256, Some(digest));
}

#[test]
fn a_shard_that_is_missing_or_not_beside_its_index_is_named() {
    for (shard, named) in [
        ("model-00003-of-00003.safetensors", "is missing"),
        (
            "../model.safetensors",
            "is not the name of a file beside it",
        ),
        ("/etc/passwd", "is not the name of a file beside it"),
        ("..", "is not the name of a file beside it"),
        ("", "is not the name of a file beside it"),
    ] {
        let checkpoint = checkpoint_of_kind("bert_sharded");
        edit_json(&checkpoint.path().join(INDEX), |index| {
            index["weight_map"][WORDS] = json!(shard);
        });
        let message = refusal(checkpoint.path());
        assert!(
            message.contains(&format!("{shard:?}, which {named}")) && message.contains(INDEX),
            "{message}"
        );
    }
}

#[test]
fn a_tensor_that_is_in_no_shard_is_named() {
    const TENSOR: &str = "encoder.layer.1.output.dense.weight";
    let checkpoint = checkpoint_of_kind("bert_sharded");
    let index = checkpoint.path().join(INDEX);
    edit_json(&index, |index| {
        index["weight_map"].as_object_mut().unwrap().remove(TENSOR);
    });
    let message = refusal(checkpoint.path());
    assert!(
        message.contains(INDEX) && message.contains(&format!("{TENSOR} is missing")),
        "{message}"
    );
    // The index says that it is in the shard that has everything but it.
    edit_json(&index, |index| {
        index["weight_map"][TENSOR] = index["weight_map"][WORDS].clone();
    });
    let message = refusal(checkpoint.path());
    assert!(
        message.contains("model-00001-of-00002.safetensors")
            && message.contains(&format!("{TENSOR} is missing")),
        "{message}"
    );
}

#[test]
fn an_index_without_a_map_is_refused() {
    let checkpoint = checkpoint_of_kind("bert_sharded");
    std::fs::write(checkpoint.path().join(INDEX), "{}").unwrap();
    let message = refusal(checkpoint.path());
    assert!(
        message.contains(INDEX) && message.contains("weight_map"),
        "{message}"
    );
}

#[test]
fn a_git_lfs_pointer_in_the_place_of_a_file_is_refused_as_such() {
    const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:2c5e\nsize 9\n";
    for file in [
        WEIGHTS,
        "config.json",
        "modules.json",
        "tokenizer.json",
        "1_Pooling/config.json",
    ] {
        let checkpoint = copy();
        std::fs::write(checkpoint.path().join(file), POINTER).unwrap();
        let message = refusal(checkpoint.path());
        assert!(
            message.contains(&format!("{file} is not the file but a pointer of Git LFS"))
                && message.contains("git lfs pull"),
            "{file}: {message}"
        );
    }
}

#[test]
fn weights_in_another_form_are_refused_as_such() {
    const CONVERT: &str = "AutoModel.from_pretrained('.').save_pretrained('.')";
    for (file, what, advice) in [
        ("pytorch_model.bin", "a Python pickle", CONVERT),
        ("pytorch_model.bin.index.json", "a Python pickle", CONVERT),
        ("tf_model.h5", "TensorFlow's", "only model.safetensors"),
        ("flax_model.msgpack", "Flax's", "only model.safetensors"),
    ] {
        let checkpoint = copy();
        let weights = checkpoint.path().join(WEIGHTS);
        std::fs::rename(weights, checkpoint.path().join(file)).unwrap();
        let message = refusal(checkpoint.path());
        assert!(
            message.contains(&format!("its weights are {what} ({file})"))
                && message.contains(advice),
            "{message}"
        );
    }
}

#[test]
fn an_adapter_is_refused_as_such_even_beside_a_whole_model() {
    let checkpoint = copy();
    std::fs::write(checkpoint.path().join("adapter_config.json"), "{}").unwrap();
    for file in [None, Some("config.json"), Some(WEIGHTS)] {
        if let Some(file) = file {
            std::fs::remove_file(checkpoint.path().join(file)).unwrap();
        }
        let message = refusal(checkpoint.path());
        assert!(
            message.contains("it is an adapter") && message.contains("merge"),
            "{message}"
        );
    }
}

#[test]
fn whoever_serves_a_checkpoint_is_told_to_export_it() {
    for kind in ["bert_float16", "bert_sharded"] {
        let checkpoint = checkpoint_of_kind(kind);
        let path = checkpoint.path().to_str().unwrap();
        let error = ModelDirectory::open(checkpoint.path())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("`runpod-query export {path} TARGET`")),
            "{error}"
        );
    }
}
