//! The check that a written model directory must pass.
//!
//! It loads the directory as the server does and runs it: vectors are independent of their batch, and where values
//! were published for the very weights it was made from, it reproduces them.

use std::path::Path;

use ort::environment::Environment;

use super::Error;
use super::loaded::LoadedModel;
use super::reference::{Comparison, Reference, Subject};
use crate::Tokens;

/// Largest distance of a vector's length from 1.
const LARGEST_DIFFERENCE: f32 = 1e-5;
/// Texts of different lengths, for models of which nothing was published.
const SAMPLES: [&str; 4] = [
    "a",
    "What is machine learning?",
    "Wie wird das Wetter morgen in den Bergen, und brauche ich einen Schirm?",
    "机器学习是什么",
];

/// Runs the model directory at `path`; an error names the first value that is wrong.
pub fn check(path: &Path, environment: &Environment) -> Result<(), Error> {
    let mut model = LoadedModel::load(path, environment)?;
    check_batches(&mut model)?;
    let source = model
        .description()
        .source_sha256
        .clone()
        .unwrap_or_default();
    let Some(reference) = Reference::of_source(&source) else {
        log::info!(
            "no values were published for these weights: checked vectors against their batches only"
        );
        return Ok(());
    };
    let comparisons = compare(&mut model, &reference)?;
    log::info!(
        "{} published values of {} agree",
        comparisons.len(),
        reference.name
    );
    match comparisons.iter().find(|comparison| !comparison.agrees) {
        None => Ok(()),
        Some(wrong) => Err(Error::Check {
            why: format!("{} is {} ({})", wrong.what, wrong.found, wrong.source),
        }),
    }
}

/// Compares the model directory at `path` with the values published for the pinned model `name`.
pub fn golden(
    path: &Path,
    name: &str,
    environment: &Environment,
) -> Result<Vec<Comparison>, Error> {
    let reference = Reference::of_name(name).ok_or_else(|| Error::Check {
        why: format!("no values were published for {name}"),
    })?;
    compare(&mut LoadedModel::load(path, environment)?, &reference)
}

fn compare(model: &mut LoadedModel, reference: &Reference) -> Result<Vec<Comparison>, Error> {
    let precision = model.description().precision;
    Ok(reference.compare(model, precision)?)
}

fn check_batches(model: &mut LoadedModel) -> Result<(), Error> {
    let tokens = SAMPLES
        .iter()
        .map(|text| model.tokenizer.tokenize(text))
        .collect::<Result<Vec<Tokens>, _>>()?;
    let together = model.encoder.encode(&tokens.iter().collect::<Vec<_>>())?;
    for (text, together) in SAMPLES.iter().zip(together) {
        let alone = model.embed(text)?;
        if alone != together {
            return Err(Error::Check {
                why: format!("the vector of {text:?} is another one in a batch than alone"),
            });
        }
        let length = together
            .iter()
            .map(|component| component * component)
            .sum::<f32>()
            .sqrt();
        if (length - 1.0).abs() > LARGEST_DIFFERENCE {
            return Err(Error::Check {
                why: format!("the vector of {text:?} has length {length}, not 1"),
            });
        }
    }
    Ok(())
}
