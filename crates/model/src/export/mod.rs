//! From a Hugging Face checkpoint to a model directory, without Python.
//!
//! Owns the ONNX graph. The same checkpoint gives the same bytes, on every machine; a model directory that was left
//! behind by [`export_and_check`] has passed its check. Runs what it wrote.

mod agreement;
mod check;
mod checkpoint;
mod error;
mod graph;
mod loaded;
mod packing;
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

use ort::environment::Environment;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::Precision;
use crate::onnx;
use crate::{DESCRIPTION_FILE, Description, GRAPH_FILE, REPORT_FILE, TOKENIZER_FILE};
pub use agreement::Agreement;
use check::check;
pub use check::golden;
use checkpoint::Checkpoint;
pub use error::Error;
pub use reference::{Comparison, Reference, Subject};
pub use traffic::bytes_per_pass;
use weights::WeightsWriter;

/// Counts the changes of what is written for one and the same checkpoint, so that caches do not keep old exports.
pub const FORMAT: u32 = 5;

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

/// Writes a model directory as [`export`] does and runs it: what it leaves there has passed its check.
///
/// A rounded model is also compared with its fp32 original, which is written for that and removed again; the figures
/// go into the report beside the model.
pub fn export_and_check(
    source: &Path,
    target: &Path,
    options: &Options,
    environment: &Environment,
) -> Result<Description, Error> {
    let description = export(source, target, options)?;
    check(target, environment)?;
    match options.precision {
        Precision::Fp32 => {}
        Precision::Int8 => {
            let report = quality::measure(source, target, environment)?;
            let json = serde_json::to_string_pretty(&report).unwrap_or_default() + "\n";
            write(&target.join(REPORT_FILE), json.as_bytes())?;
        }
    }
    Ok(description)
}

/// Writes the model directory of the checkpoint in `source` into the existing, empty directory `target`.
///
/// Nothing is run; see [`export_and_check`].
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
