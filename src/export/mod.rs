//! From a Hugging Face checkpoint to a model directory, without Python.
//!
//! Owns the ONNX graph. The same checkpoint gives the same bytes, on every machine; a model directory that was left
//! behind has passed its check. Imports [`crate::model`], to run what it wrote, and [`crate::config`].

mod check;
mod checkpoint;
mod error;
mod graph;
mod onnx;
mod quality;
mod reference;
mod rounding;
mod safetensors;
mod traffic;
mod transformer;
mod weights;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use prost::Message;
use sha2::{Digest, Sha256};

use crate::config::Precision;
use crate::model::{DESCRIPTION_FILE, Description, GRAPH_FILE, TOKENIZER_FILE};
pub use check::{check, golden};
use checkpoint::Checkpoint;
pub use error::Error;
pub use quality::Agreement;
pub use reference::{Comparison, Reference, Subject};
pub use traffic::bytes_per_pass;
use weights::WeightsWriter;

/// Counts the changes of what is written for one and the same checkpoint, so that caches do not keep old exports.
pub const FORMAT: u32 = 1;

/// What the exported model is called and how it is written.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name by which the model is served.
    pub name: String,
    /// Revision of the checkpoint, where it has one.
    pub revision: Option<String>,
    /// Precision of the matrices.
    pub precision: Precision,
}

/// Writes the model directory of the checkpoint in `source` into the existing, empty directory `target`.
pub fn export(source: &Path, target: &Path, options: &Options) -> Result<Description, Error> {
    let mut checkpoint = Checkpoint::open(source)?;
    let mut weights = WeightsWriter::create(target)?;
    let model = transformer::build(&mut checkpoint, &mut weights, options.precision)?;
    weights.finish()?;
    write(&target.join(GRAPH_FILE), &model.encode_to_vec())?;
    copy(&source.join(TOKENIZER_FILE), &target.join(TOKENIZER_FILE))?;
    let description = Description {
        name: options.name.clone(),
        revision: options.revision.clone(),
        dimensions: checkpoint.architecture.hidden,
        max_tokens: checkpoint.max_tokens,
        pooling: checkpoint.sentence.pooling,
        precision: options.precision,
        source_sha256: Some(sha256(checkpoint.weights.path())?),
    };
    let json = serde_json::to_string_pretty(&description).unwrap_or_default() + "\n";
    write(&target.join(DESCRIPTION_FILE), json.as_bytes())?;
    Ok(description)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(path, bytes).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let bytes = std::fs::read(from).map_err(|source| Error::Read {
        path: from.to_owned(),
        source,
    })?;
    write(to, &bytes)
}

fn sha256(path: &Path) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    let mut read = || {
        let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
        loop {
            let piece = file.fill_buf()?;
            if piece.is_empty() {
                return Ok(());
            }
            hasher.update(piece);
            let length = piece.len();
            file.consume(length);
        }
    };
    read().map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
