//! What the fuzz targets call, built only for them and for tests, which run the corpora that the targets have kept.
//!
//! Each function takes any bytes, and panics where the crate breaks a promise.

#[cfg(test)]
#[path = "../../../tests/support/corpus.rs"]
mod corpus;

use std::io::Write;

use safetensors::{Dtype, SafeTensors};

use crate::export::SafetensorsFile;
pub use crate::tokenizer::fuzzing::divided_text;

/// A file of weights. If it can be opened, the format's own library reads the same tensors from it.
pub fn safetensors(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let Ok(mut ours) = SafetensorsFile::open(file.path()) else {
        return;
    };
    let theirs = SafeTensors::deserialize(bytes).unwrap();
    for (name, tensor) in theirs.tensors() {
        let Ok(found) = ours.find(&name, tensor.shape()) else {
            assert_ne!(tensor.dtype(), Dtype::F32, "{name} is not found");
            continue;
        };
        let floats = tensor.data().as_chunks().0.iter();
        let floats: Vec<f32> = floats.map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let mut divisions = vec![vec![found.clone()]];
        if !tensor.shape().is_empty() && !floats.is_empty() {
            divisions.push(found.row_chunks());
        }
        for chunks in divisions {
            let read: Result<Vec<_>, _> = chunks.iter().map(|chunk| ours.read(chunk)).collect();
            match read {
                Ok(read) => assert_eq!(read.concat(), floats),
                Err(_) => assert!(floats.iter().any(|float| !float.is_finite())),
            }
        }
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
    fn the_corpus_of_texts_breaks_no_promise() {
        corpus::run(ROOT, "tokenizer", divided_text);
    }
}
