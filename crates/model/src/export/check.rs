//! The check of an exported model directory, before it is published.
//!
//! The directory is loaded and run as in the server. Its vectors have length 1 and do not depend on their batch, and it
//! reproduces the values that were published for its weights, if there are any.

use std::path::Path;

use ort::environment::Environment;

use super::error::Error;
use super::exported_model::ExportedModel;
use super::reference::{Comparison, EmbeddingModel, Reference};

/// Largest accepted difference between a vector's length and 1.
const LENGTH_TOLERANCE: f32 = 1e-5;
/// Texts of different lengths and languages.
const SAMPLES: [&str; 4] = [
    "a",
    "What is machine learning?",
    "Wie wird das Wetter morgen in den Bergen, und brauche ich einen Schirm?",
    "机器学习是什么",
];

/// Checks the model directory at `path`; an error names the first wrong value.
pub fn check(path: &Path, environment: &Environment) -> Result<(), Error> {
    let mut model = ExportedModel::load(path, environment)?;
    check_batches(&mut model)?;
    let source = model
        .description()
        .source_sha256
        .clone()
        .unwrap_or_default();
    let Some(reference) = Reference::of_source(&source) else {
        log::info!(
            "no values are published for these weights: only batching and the vectors' lengths were checked"
        );
        return Ok(());
    };
    let comparisons = compare_loaded(&mut model, &reference)?;
    if let Some(wrong) = comparisons.iter().find(|comparison| !comparison.is_equal) {
        return Err(Error::Check {
            why: format!("{} is {} ({})", wrong.what, wrong.found, wrong.source),
        });
    }
    log::info!(
        "all {} published values of {} are reproduced",
        comparisons.len(),
        reference.name
    );
    Ok(())
}

/// Compares the model directory at `path` with the values published for the pinned model `name`; an error if there are
/// none.
pub fn compare_with_reference(
    path: &Path,
    name: &str,
    environment: &Environment,
) -> Result<Vec<Comparison>, Error> {
    let reference = Reference::of_name(name).ok_or_else(|| Error::Check {
        why: format!("no values are published for {name}"),
    })?;
    compare(path, &reference, environment)
}

/// Compares the model directory at `path` with published values.
pub fn compare(
    path: &Path,
    reference: &Reference,
    environment: &Environment,
) -> Result<Vec<Comparison>, Error> {
    compare_loaded(&mut ExportedModel::load(path, environment)?, reference)
}

fn compare_loaded(
    model: &mut ExportedModel,
    reference: &Reference,
) -> Result<Vec<Comparison>, Error> {
    let precision = model.description().precision;
    Ok(reference.compare(model, precision)?)
}

fn check_batches(model: &mut ExportedModel) -> Result<(), Error> {
    let outputs = model.encoder.outputs();
    let together = model.encode_all(&SAMPLES, outputs)?;
    for (text, together) in SAMPLES.iter().zip(together) {
        if model.encode(text, outputs)? != together {
            return Err(Error::Check {
                why: format!("what {text:?} becomes differs between a batch and a run of its own"),
            });
        }
        let vector = together.dense.unwrap_or_default();
        let squares = vector.iter().map(|component| component * component);
        let length = squares.sum::<f32>().sqrt();
        if (length - 1.0).abs() > LENGTH_TOLERANCE {
            return Err(Error::Check {
                why: format!("the vector of {text:?} has length {length}, not 1"),
            });
        }
    }
    Ok(())
}
