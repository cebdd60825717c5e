//! The files of a model directory, written from a checkpoint.
//!
//! Every file but the quality report depends only on the checkpoint and the [`Options`], so the same input gives the same
//! bytes.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use prost::Message;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::checkpoint::Checkpoint;
use super::error::Error;
use super::external_data_writer::ExternalDataWriter;
use super::transformer;
use crate::description::{DESCRIPTION_FILE, Description, GRAPH_FILE, TOKENIZER_FILE};
use crate::precision::Precision;
use crate::report::{QualityReport, REPORT_FILE};

/// The exported model's identity and precision.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name by which the model is served.
    pub name: String,
    /// Revision of the checkpoint, if it has one.
    pub revision: Option<String>,
    /// Precision of the weights.
    pub precision: Precision,
}

/// Writes the model directory of the checkpoint in `source` into the existing, empty directory `target`.
///
/// The model is not run; [`export_and_check`](super::export_and_check) does that, too.
pub fn export(source: &Path, target: &Path, options: &Options) -> Result<Description, Error> {
    let mut checkpoint = Checkpoint::open(source)?;
    let mut external_data = ExternalDataWriter::create(target)?;
    let model = transformer::build(&mut checkpoint, &mut external_data, options.precision)?;
    external_data.finish()?;
    write(&target.join(GRAPH_FILE), &model.encode_to_vec())?;
    copy(&source.join(TOKENIZER_FILE), &target.join(TOKENIZER_FILE))?;
    let description = Description {
        name: options.name.clone(),
        revision: options.revision.clone(),
        dimensions: checkpoint.architecture.hidden,
        max_tokens: checkpoint.max_tokens,
        pooling: checkpoint.sentence_transformer.pooling,
        precision: options.precision,
        source_sha256: Some(sha256(checkpoint.weights.path())?),
    };
    write_json(&target.join(DESCRIPTION_FILE), &description)?;
    Ok(description)
}

/// Writes the quality report into a model directory.
pub fn write_report(directory: &Path, report: &QualityReport) -> Result<(), Error> {
    write_json(&directory.join(REPORT_FILE), report)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|source| Error::Write {
        path: path.to_owned(),
        source: source.into(),
    })?;
    json.push(b'\n');
    write(path, &json)
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
            let chunk = file.fill_buf()?;
            if chunk.is_empty() {
                return Ok(());
            }
            hasher.update(chunk);
            let length = chunk.len();
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
