//! The golden files: texts, and their tokens and embeddings from SentenceTransformer on PyTorch.

use std::path::PathBuf;
use std::sync::OnceLock;

use safetensors::SafeTensors;
use serde::Deserialize;

/// One text and its name.
#[derive(Deserialize)]
pub struct Text {
    pub name: String,
    pub text: String,
}

/// Largest difference of a component of minilm's vectors in fp16, the default, from PyTorch's in fp32.
pub const FP16_TOLERANCE: f32 = 3e-4;

/// Tokens and embeddings of the texts for one model, in the same order.
pub struct Golden {
    pub token_ids: Vec<Vec<u32>>,
    pub embeddings: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct TokenIds {
    token_ids: Vec<Vec<u32>>,
}

/// A file or folder under `tests/`.
pub fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(relative)
}

/// The texts of many kinds.
pub fn texts() -> &'static [Text] {
    static TEXTS: OnceLock<Vec<Text>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let json = std::fs::read(path("golden/texts.json")).unwrap();
        serde_json::from_slice(&json).unwrap()
    })
}

/// The golden files of a model.
pub fn golden(model: &str) -> Golden {
    let json = std::fs::read(path(&format!("golden/{model}.json"))).unwrap();
    let bytes = std::fs::read(path(&format!("golden/{model}.safetensors"))).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let embeddings = tensors.tensor("embeddings").unwrap();
    let dimensions = embeddings.shape()[1];
    let floats: Vec<f32> = embeddings
        .data()
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    Golden {
        token_ids: serde_json::from_slice::<TokenIds>(&json).unwrap().token_ids,
        embeddings: floats
            .chunks_exact(dimensions)
            .map(<[f32]>::to_vec)
            .collect(),
    }
}

/// Cosine of the angle between two vectors, in double precision.
pub fn cosine(left: &[f32], right: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .map(|(x, y)| f64::from(*x) * f64::from(*y))
            .sum::<f64>()
    };
    dot(left, right) / (dot(left, left) * dot(right, right)).sqrt()
}

/// Largest difference between two components of the same index.
pub fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter()
        .zip(right)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

/// Euclidean length of a vector.
pub fn length(vector: &[f32]) -> f32 {
    vector
        .iter()
        .map(|component| component * component)
        .sum::<f32>()
        .sqrt()
}
