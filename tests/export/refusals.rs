//! A checkpoint that cannot be exported is refused with an error that says what is wrong and where.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use model::Precision;
use model::export::{self, Options};
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

use crate::support::models::{checkpoint, copy_of};

/// A copy of the tiny XLM-RoBERTa checkpoint, to be spoilt.
pub(super) fn copy() -> tempfile::TempDir {
    copy_of(
        "tiny-xlm-roberta",
        &[
            "config.json",
            "model.safetensors",
            "modules.json",
            "sentence_bert_config.json",
            "tokenizer.json",
            "1_Pooling/config.json",
        ],
    )
}

/// The whole message of the refusal, causes included.
pub(super) fn refusal(checkpoint: &Path) -> String {
    let target = tempfile::tempdir().unwrap();
    let options = Options {
        name: "spoilt".to_owned(),
        revision: None,
        precision: Precision::Fp32,
        pooling: None,
    };
    let error = export::export(checkpoint, target.path(), &options).unwrap_err();
    let causes = std::iter::successors(Some(&error as &dyn Error), |error| (*error).source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

pub(super) fn edit_json(path: &Path, edit: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    edit(&mut value);
    std::fs::write(path, serde_json::to_vec(&value).unwrap()).unwrap();
}

#[test]
fn a_description_of_something_else_is_refused_by_its_value() {
    for (file, pointer, value, named) in [
        (
            "config.json",
            "/model_type",
            json!("mpnet"),
            "model_type \"mpnet\"",
        ),
        (
            "config.json",
            "/model_type",
            json!("distilbert"),
            "distilbert",
        ),
        (
            "config.json",
            "/hidden_act",
            json!("gelu_new"),
            "hidden_act \"gelu_new\"",
        ),
        (
            "config.json",
            "/num_attention_heads",
            json!(5),
            "num_attention_heads 5",
        ),
        (
            "config.json",
            "/num_hidden_layers",
            json!(0),
            "has no layers",
        ),
        ("config.json", "/pad_token_id", json!(null), "pad_token_id"),
        ("config.json", "/hidden_size", json!("wide"), "config.json"),
    ] {
        let checkpoint = copy();
        edit_json(
            &checkpoint.path().join(file),
            |description| match description.pointer_mut(pointer) {
                Some(place) => *place = value.clone(),
                None => description[&pointer[1..]] = value.clone(),
            },
        );
        let message = refusal(checkpoint.path());
        assert!(
            message.contains(named),
            "{file} {pointer}={value}: {message}"
        );
    }
}

#[test]
fn a_missing_file_is_named() {
    for file in [
        "config.json",
        "model.safetensors",
        "modules.json",
        "tokenizer.json",
        "1_Pooling/config.json",
    ] {
        let checkpoint = copy();
        std::fs::remove_file(checkpoint.path().join(file)).unwrap();
        let message = refusal(checkpoint.path());
        assert!(message.contains(file), "{file}: {message}");
    }
}

#[test]
fn a_truncated_or_corrupt_weights_file_is_refused() {
    let whole = std::fs::read(checkpoint("tiny-xlm-roberta").join("model.safetensors")).unwrap();
    let cut = |length: usize| whole[..length].to_vec();
    let mut spoilt_header = whole.clone();
    spoilt_header[9] = b'!';
    let huge_header = [u64::MAX.to_le_bytes().as_slice(), &whole[8..]].concat();
    for (bytes, named) in [
        (cut(0), "truncated"),
        (cut(7), "truncated"),
        (cut(100), "truncated"),
        (cut(whole.len() - 1), "truncated"),
        ([whole.as_slice(), b"x"].concat(), "truncated or corrupt"),
        (spoilt_header, "not a valid safetensors file"),
        (huge_header, "truncated or corrupt"),
    ] {
        let checkpoint = copy();
        std::fs::write(checkpoint.path().join("model.safetensors"), &bytes).unwrap();
        let message = refusal(checkpoint.path());
        assert!(
            message.contains("model.safetensors") && message.contains(named),
            "{message}"
        );
    }
}

#[test]
fn a_missing_misshapen_or_foreign_tensor_is_named() {
    const TENSOR: &str = "encoder.layer.1.attention.output.dense.weight";
    const SHAPE: [usize; 2] = [48, 48];
    let whole = vec![0; 48 * 48 * 4];
    let with = |replacement: Option<TensorView<'_>>| {
        let checkpoint = copy();
        let path = checkpoint.path().join("model.safetensors");
        let bytes = std::fs::read(&path).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let mut views: HashMap<String, TensorView<'_>> = tensors.tensors().into_iter().collect();
        views.remove(TENSOR).unwrap();
        views.extend(replacement.map(|view| (TENSOR.to_owned(), view)));
        std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
        refusal(checkpoint.path())
    };
    let view = |dtype, shape: &[usize], data| TensorView::new(dtype, shape.to_vec(), data).unwrap();
    for (message, named) in [
        (with(None), "is missing"),
        (
            with(Some(view(safetensors::Dtype::F32, &[24, 96], &whole))),
            "[24, 96], not [48, 48]",
        ),
        (
            with(Some(view(safetensors::Dtype::I32, &SHAPE, &whole))),
            "holds I32; only F16, BF16, F32 and F64",
        ),
    ] {
        assert!(
            message.contains(TENSOR) && message.contains(named),
            "{message}"
        );
    }
}
