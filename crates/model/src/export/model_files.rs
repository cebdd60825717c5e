//! The files of a model directory, written from a checkpoint.
//!
//! Every file but the quality report depends only on the checkpoint and the [`Options`], so the same input gives the same
//! bytes.

use std::io::{self, Read};
use std::path::Path;

use prost::Message;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::checkpoint::Checkpoint;
use super::error::Error;
use super::heads::tokens_without_weight;
use super::{halves, weights};
use crate::description::{DESCRIPTION_FILE, Description, GRAPH_FILE, Heads, TOKENIZER_FILE};
use crate::graph::{self, OutputHeads, WeightPrecision};
use crate::precision::Precision;
use crate::report::{QualityReport, REPORT_FILE};
use crate::sentence_transformers::Pooling;

/// The exported model's identity and precision.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Name by which the model is served.
    pub name: String,
    /// Revision of the checkpoint, if it has one.
    pub revision: Option<String>,
    /// Precision of the weights.
    pub precision: Precision,
    /// How token vectors are pooled, for a checkpoint whose files do not say it. If they do, it must be the same.
    pub pooling: Option<Pooling>,
}

/// Writes the model directory of the checkpoint in `source` into the existing, empty directory `target`.
///
/// The model is not run; [`export_and_check`](super::export_and_check) does that, too.
pub fn export(source: &Path, target: &Path, options: &Options) -> Result<Description, Error> {
    let checkpoint = Checkpoint::open(source, options.pooling)?;
    let pooling = checkpoint.sentence_transformer.pooling;
    let kept_in_fp32 = match options.precision {
        Precision::Fp16 => halves::not_held(&checkpoint, pooling)?,
        Precision::Fp32 | Precision::Int8 => Vec::new(),
    };
    let precision = WeightPrecision {
        precision: options.precision,
        kept_in_fp32: &kept_in_fp32,
    };
    let layout = graph::layout(&checkpoint.architecture, pooling, precision);
    let graph = weights::write(layout, &checkpoint, target)?;
    let graph = graph.into_model().encode_to_vec();
    write(&target.join(GRAPH_FILE), &graph)?;
    let tokenizer = source.join(TOKENIZER_FILE);
    let tokenizer = crate::file::read(&tokenizer)?;
    write(&target.join(TOKENIZER_FILE), &tokenizer)?;
    let description = Description {
        name: options.name.clone(),
        revision: options.revision.clone(),
        dimensions: checkpoint.architecture.hidden,
        max_tokens: checkpoint.max_tokens,
        pooling,
        prompt: checkpoint.sentence_transformer.prompt,
        precision: options.precision,
        kept_in_fp32,
        source_sha256: Some(sha256(checkpoint.weights.paths())?),
        heads: heads(source, checkpoint.heads.present)?,
    };
    write_json(&target.join(DESCRIPTION_FILE), &description)?;
    Ok(description)
}

fn heads(source: &Path, outputs: OutputHeads) -> Result<Option<Heads>, Error> {
    if !outputs.any() {
        return Ok(None);
    }
    Ok(Some(Heads {
        outputs,
        tokens_without_weight: tokens_without_weight(source)?,
    }))
}

/// Writes the quality report into a model directory.
pub fn write_report(directory: &Path, report: &QualityReport) -> Result<(), Error> {
    write_json(&directory.join(REPORT_FILE), report)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let mut json = serde_json::to_vec_pretty(value)
        .map_err(io::Error::from)
        .map_err(Error::writing(path))?;
    json.push(b'\n');
    write(path, &json)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(path, bytes).map_err(Error::writing(path))
}

/// The SHA-256 of files, one after the other.
fn sha256<'a>(paths: impl Iterator<Item = &'a Path>) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    for path in paths {
        let mut file = crate::file::open(path)?;
        loop {
            match file.read(&mut chunk).map_err(crate::Error::reading(path))? {
                0 => break,
                length => hasher.update(&chunk[..length]),
            }
        }
    }
    let digest = hasher.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
