//! What the fuzz targets call, built only for them and for tests, which run the corpora that the targets have kept.
//!
//! Each function takes any bytes, and panics where the crate breaks a promise.

#[cfg(test)]
#[path = "../../../tests/support/corpus.rs"]
mod corpus;

use std::io::Write;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::export::{SafetensorsFile, StateDict, Tensor, state_dict};
pub use crate::tokenizer::fuzzing::divided_text;

/// A file of weights. If it can be opened, the format's own library reads the same tensors from it.
pub fn safetensors(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let Ok(ours) = SafetensorsFile::open(file.path()) else {
        return;
    };
    let theirs = SafeTensors::deserialize(bytes).unwrap();
    for (name, tensor) in theirs.tensors() {
        let Ok(found) = ours.find(&name, tensor.shape()) else {
            assert!(floats(&tensor).is_none(), "{name} is not found");
            continue;
        };
        let floats = floats(&tensor).unwrap();
        let mut divisions = vec![vec![found.clone()]];
        if !tensor.shape().is_empty() && !floats.is_empty() {
            divisions.push(found.row_chunks());
        }
        for chunks in divisions {
            let read: Result<Vec<_>, _> = chunks.iter().map(Tensor::read).collect();
            match read {
                Ok(read) => assert_eq!(read.concat(), floats),
                Err(_) => assert!(floats.iter().any(|float| !float.is_finite())),
            }
        }
    }
}

/// The file of a head, or the pickle in it. Every tensor that it has can be read in its shape, or is an error.
pub fn heads(bytes: &[u8]) {
    if let Ok(tensors) = state_dict(bytes) {
        assert!(tensors.len() <= bytes.len());
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let Ok(opened) = StateDict::open(file.path()) else {
        return;
    };
    for name in opened.names() {
        let shape = opened.shape(name).unwrap();
        if let Ok(values) = opened.read(name, shape) {
            assert_eq!(values.len(), shape.iter().product::<usize>());
            assert!(values.len() <= bytes.len());
        }
    }
}

/// The elements of a tensor in fp32; `None` for a type that cannot be exported.
fn floats(tensor: &TensorView<'_>) -> Option<Vec<f32>> {
    fn all<const BYTES: usize>(bytes: &[u8], float: impl Fn([u8; BYTES]) -> f32) -> Vec<f32> {
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|element| float(*element))
            .collect()
    }
    let bytes = tensor.data();
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the format's list of types grows"
    )]
    match tensor.dtype() {
        Dtype::F16 => Some(all(bytes, |element| {
            half::f16::from_le_bytes(element).to_f32()
        })),
        Dtype::BF16 => Some(all(bytes, |[low, high]| {
            f32::from_le_bytes([0, 0, low, high])
        })),
        Dtype::F32 => Some(all(bytes, f32::from_le_bytes)),
        Dtype::F64 => Some(all(bytes, |element| f64::from_le_bytes(element) as f32)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

    #[test]
    fn the_corpus_of_safetensors_files_breaks_no_promise() {
        corpus::run(ROOT, "safetensors", safetensors);
    }

    #[test]
    fn the_corpus_of_heads_breaks_no_promise() {
        corpus::run(ROOT, "heads", heads);
    }

    #[test]
    fn the_corpus_of_texts_breaks_no_promise() {
        corpus::run(ROOT, "tokenizer", divided_text);
    }
}
