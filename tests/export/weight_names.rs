//! By which names a checkpoint's tensors are found.

use std::collections::HashMap;
use std::path::Path;

use model::Precision;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use super::refusals::{copy, refusal};
use crate::support::models::exported;

/// Writes the weights again, each tensor under all of its new names.
fn rename(checkpoint: &Path, new_names: impl Fn(&str) -> Vec<String>) {
    let path = checkpoint.join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    let renamed: HashMap<String, TensorView<'_>> = tensors
        .into_iter()
        .flat_map(|(name, tensor)| {
            let names = new_names(&name).into_iter();
            names.map(move |name| (name, tensor.clone()))
        })
        .collect();
    std::fs::write(&path, safetensors::serialize(renamed, None).unwrap()).unwrap();
}

fn exported_weights(checkpoint: &Path) -> Vec<u8> {
    let directory = exported(checkpoint, Precision::Fp32);
    std::fs::read(directory.path().join("model.onnx.data")).unwrap()
}

#[test]
fn a_prefix_of_all_names_changes_nothing() {
    let expected = exported_weights(copy().path());
    for prefix in [
        "bert.",
        "roberta.",
        "model.",
        "0.auto_model.",
        "encoder.model.",
    ] {
        let checkpoint = copy();
        rename(checkpoint.path(), |name| vec![format!("{prefix}{name}")]);
        assert!(exported_weights(checkpoint.path()) == expected, "{prefix}");
    }
}

#[test]
fn gamma_and_beta_are_the_weight_and_the_bias_of_layer_normalization() {
    let checkpoint = copy();
    rename(checkpoint.path(), |name| {
        let old = name.replace("LayerNorm.weight", "LayerNorm.gamma");
        vec![old.replace("LayerNorm.bias", "LayerNorm.beta")]
    });
    assert!(exported_weights(checkpoint.path()) == exported_weights(copy().path()));
}

#[test]
fn tensors_of_two_models_are_refused_with_both_prefixes() {
    let checkpoint = copy();
    rename(checkpoint.path(), |name| {
        vec![format!("student.{name}"), format!("teacher.{name}")]
    });
    let message = refusal(checkpoint.path());
    assert!(
        message.contains("\"student.\", \"teacher.\"") && message.contains("model.safetensors"),
        "{message}"
    );
}
