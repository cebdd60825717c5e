//! Which weights are stored as halves, and which stay in fp32.

use std::path::Path;

use model::export::Agreement;
use model::{ModelDirectory, Precision};
use safetensors::SafeTensors;
use tempfile::TempDir;

use super::refusals::copy;
use crate::support::models::{Model, checkpoint, exported};

const TEXTS: [&str; 3] = ["a", "What is machine learning?", "Wie wird das Wetter?"];

/// Changes one weight of a tensor of a checkpoint.
fn change(checkpoint: &Path, tensor: &str, weight: f32) {
    let path = checkpoint.join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let data = tensors.tensor(tensor).unwrap().data();
    let start = data.as_ptr().addr() - bytes.as_ptr().addr();
    bytes[start..start + size_of::<f32>()].copy_from_slice(&weight.to_le_bytes());
    std::fs::write(path, bytes).unwrap();
}

fn kept_in_fp32(directory: &TempDir) -> Vec<String> {
    let directory = ModelDirectory::open(directory.path()).unwrap();
    directory.description.kept_in_fp32
}

fn vectors(checkpoint: &Path, precision: Precision) -> Vec<Vec<f32>> {
    Model::export_in(checkpoint, "tiny", precision).encode(&TEXTS)
}

#[test]
fn weights_in_fp16_take_half_the_bytes_of_those_in_fp32() {
    let checkpoint = checkpoint("minilm");
    let [halves, floats] = [Precision::Fp16, Precision::Fp32].map(|precision| {
        let directory = exported(&checkpoint, precision);
        let weights = directory.path().join("model.onnx.data");
        std::fs::metadata(weights).unwrap().len() as f64
    });
    assert!(
        (0.5..0.501).contains(&(halves / floats)),
        "{halves} of {floats}"
    );
}

#[test]
fn a_matrix_that_halves_cannot_hold_stays_in_fp32_and_the_others_do_not() {
    for (tensor, kept) in [
        (
            "encoder.layer.0.intermediate.dense.weight",
            "layer.0.intermediate",
        ),
        (
            "encoder.layer.1.attention.self.key.weight",
            "layer.1.attention.query_key_value",
        ),
        ("embeddings.word_embeddings.weight", "embeddings"),
        ("embeddings.position_embeddings.weight", "embeddings"),
    ] {
        let checkpoint = copy();
        change(checkpoint.path(), tensor, 70_000.0);
        let directory = exported(checkpoint.path(), Precision::Fp16);
        assert_eq!(kept_in_fp32(&directory), [kept]);
        let [found, expected] = [Precision::Fp16, Precision::Fp32]
            .map(|precision| vectors(checkpoint.path(), precision));
        let agreement = Agreement::of(&found, &expected);
        assert!(agreement.worst_cosine > 0.9999, "{tensor}: {agreement:?}");
    }
}

#[test]
fn without_such_a_matrix_nothing_stays_in_fp32() {
    for fixture in ["tiny-bert", "tiny-xlm-roberta", "minilm"] {
        let directory = exported(&checkpoint(fixture), Precision::Fp16);
        assert_eq!(kept_in_fp32(&directory), [""; 0], "{fixture}");
    }
}
