//! The quality of a model in fp16 or int8: how close its vectors are to those of the same checkpoint in fp32.
//!
//! Owns the sentences that both embed, and the bounds below which an export fails.

use std::path::Path;
use std::time::Instant;

use ort::environment::Environment;

use super::agreement::Agreement;
use super::error::Error;
use super::exported_model::ExportedModel;
use super::head_agreement;
use super::model_files::{self, Options};
use super::reference::Reference;
use crate::outputs::{Embedding, Encoded, Outputs};
use crate::precision::Precision;
use crate::report::QualityReport;

const SENTENCES: &str = include_str!("sentences.txt");
/// Sentences for other models: test fixtures and synthetic models, whose weights are random.
const SENTENCES_WITHOUT_REFERENCE: usize = 100;

/// The smallest mean cosine that is accepted, and the smallest of a single sentence. MiniLM reaches 0.99999991 and
/// 0.9999998 in fp16, and 0.9996 and 0.9990 in int8, on every processor, since results do not depend on the instruction set.
fn smallest_cosines(precision: Precision) -> [f64; 2] {
    match precision {
        Precision::Fp16 | Precision::Fp32 => [1.0 - 2e-7, 1.0 - 1e-6],
        Precision::Int8 => [0.9992, 0.998],
    }
}

/// An error if a cosine is below its bound.
fn check_bounds(agreement: Agreement, precision: Precision) -> Result<(), Error> {
    let [mean, worst] = smallest_cosines(precision);
    for (name, found, least) in [
        ("mean", agreement.mean_cosine, mean),
        ("worst", agreement.worst_cosine, worst),
    ] {
        if found < least {
            return Err(Error::Check {
                why: format!(
                    "the {name} cosine to its vectors in fp32 is {found:.8}; at least {least} is required"
                ),
            });
        }
    }
    Ok(())
}

/// Compares the model in `target` with a temporary fp32 export of the checkpoint in `source`.
///
/// The bounds were measured on one model and apply only to it; see [`Reference::bounds_quantization`].
pub fn measure(
    source: &Path,
    target: &Path,
    environment: &Environment,
) -> Result<QualityReport, Error> {
    let start = Instant::now();
    let mut exported = ExportedModel::load(target, environment)?;
    let description = exported.description().clone();
    let sha256 = description.source_sha256.as_deref();
    let reference = Reference::of_source(sha256.unwrap_or_default());
    let sentences = sentences(reference.is_some());
    log::info!(
        "comparing the vectors of {} sentences with fp32",
        sentences.len()
    );
    let outputs = exported.encoder.outputs();
    let found = exported.encode_all(&sentences, outputs)?;
    let options = Options {
        name: "fp32 reference".to_owned(),
        revision: None,
        precision: Precision::Fp32,
        pooling: Some(description.pooling),
    };
    drop(exported);
    let in_fp32 = encode(source, target, &options, environment, (&sentences, outputs))?;
    let agreement = Agreement::of(&dense(&found), &dense(&in_fp32));
    log::info!(
        "1 - cosine to fp32: mean {:.1e}, worst {:.1e}; top-10 overlap {:.1} %",
        1.0 - agreement.mean_cosine,
        1.0 - agreement.worst_cosine,
        100.0 * agreement.top_10_overlap
    );
    if reference.is_some_and(|reference| reference.bounds_quantization) {
        check_bounds(agreement, description.precision)?;
    }
    Ok(QualityReport {
        sentences: sentences.len(),
        mean_cosine: agreement.mean_cosine,
        worst_cosine: agreement.worst_cosine,
        top_10_overlap: agreement.top_10_overlap,
        kept_in_fp32: description.kept_in_fp32,
        instruction_set: description.precision.instruction_set().to_owned(),
        seconds: start.elapsed().as_secs_f64(),
        heads: (outputs != Outputs::DENSE).then(|| head_agreement::compare(&found, &in_fp32)),
    })
}

fn sentences(all: bool) -> Vec<&'static str> {
    let count = if all {
        usize::MAX
    } else {
        SENTENCES_WITHOUT_REFERENCE
    };
    SENTENCES.lines().take(count).collect()
}

fn dense(encoded: &[Encoded]) -> Vec<Embedding> {
    let dense = encoded.iter().map(|encoded| encoded.dense.clone());
    dense.map(Option::unwrap_or_default).collect()
}

/// The outputs of the checkpoint, exported with `options`. The temporary export is inside `target`, so that whoever cleans up
/// `target` after a killed run removes it, too.
fn encode(
    source: &Path,
    target: &Path,
    options: &Options,
    environment: &Environment,
    (sentences, outputs): (&[&str], Outputs),
) -> Result<Vec<Encoded>, Error> {
    let failed = Error::writing(target);
    let directory = tempfile::Builder::new()
        .prefix(".fp32-")
        .tempdir_in(target)
        .map_err(&failed)?;
    model_files::export(source, directory.path(), options)?;
    let mut model = ExportedModel::load(directory.path(), environment)?;
    let encoded = model.encode_all(sentences, outputs)?;
    directory.close().map_err(failed)?;
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_cosine_below_its_bound_is_named_with_the_bound() {
        let agreement = |mean_cosine, worst_cosine| Agreement {
            mean_cosine,
            worst_cosine,
            top_10_overlap: 0.0,
        };
        let outcome = |mean, worst| check_bounds(agreement(mean, worst), Precision::Int8);
        assert!(outcome(0.9992, 0.998).is_ok());
        let mean = outcome(0.9991, 0.999).unwrap_err().to_string();
        assert!(
            mean.contains("mean cosine") && mean.contains("0.99910000") && mean.contains("0.9992")
        );
        let worst = outcome(0.9993, 0.9979).unwrap_err().to_string();
        assert!(worst.contains("worst cosine") && worst.contains("0.99790000"));
    }

    #[test]
    fn there_are_800_different_sentences_and_none_is_blank() {
        let sentences = sentences(true);
        assert_eq!(sentences.len(), 800);
        assert!(sentences.iter().all(|sentence| !sentence.trim().is_empty()));
        assert_eq!(sentences.iter().collect::<BTreeSet<_>>().len(), 800);
    }
}
