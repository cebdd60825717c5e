//! The quality of a quantized model: how close its vectors are to those of the same checkpoint in fp32.
//!
//! Owns the sentences that both embed, and the bounds below which an export fails.

use std::path::Path;
use std::time::Instant;

use ort::environment::Environment;

use super::agreement::Agreement;
use super::error::Error;
use super::exported_model::ExportedModel;
use super::model_files::{self, Options};
use super::reference::Reference;
use crate::encoder::Embedding;
use crate::precision::Precision;
use crate::report::QualityReport;
use kernels::gemm::int8::InstructionSet;

const SENTENCES: &str = include_str!("sentences.txt");
/// Sentences for other models: test fixtures and synthetic models, whose weights are random.
const SENTENCES_WITHOUT_REFERENCE: usize = 100;

/// The smallest mean cosine that is accepted, and the smallest of a single sentence. MiniLM reaches 0.9996 and 0.9990, on
/// every processor, since int8 results do not depend on the instruction set.
const SMALLEST_MEAN: f64 = 0.9992;
const SMALLEST_WORST: f64 = 0.998;

/// An error if a cosine is below its bound.
fn check_bounds(agreement: Agreement) -> Result<(), Error> {
    for (name, found, least) in [
        ("mean", agreement.mean_cosine, SMALLEST_MEAN),
        ("worst", agreement.worst_cosine, SMALLEST_WORST),
    ] {
        if found < least {
            return Err(Error::Check {
                why: format!(
                    "the {name} cosine to its vectors in fp32 is {found:.6}; at least {least} is required"
                ),
            });
        }
    }
    Ok(())
}

/// Compares the int8 model in `target` with a temporary fp32 export of the checkpoint in `source`.
///
/// The bounds were measured on one model and apply only to it; see [`Reference::bounds_quantization`].
pub fn measure(
    source: &Path,
    target: &Path,
    environment: &Environment,
) -> Result<QualityReport, Error> {
    let start = Instant::now();
    let mut quantized = ExportedModel::load(target, environment)?;
    let sha256 = quantized.description().source_sha256.as_deref();
    let reference = Reference::of_source(sha256.unwrap_or_default());
    let sentences = sentences(reference.is_some());
    log::info!(
        "comparing the vectors of {} sentences with fp32",
        sentences.len()
    );
    let found = quantized.embed_all(&sentences)?;
    let options = Options {
        name: "fp32 reference".to_owned(),
        revision: None,
        precision: Precision::Fp32,
        pooling: Some(quantized.description().pooling),
    };
    drop(quantized);
    let reference_vectors = embed(source, target, &options, environment, &sentences)?;
    let agreement = Agreement::of(&found, &reference_vectors);
    log::info!(
        "cosine to fp32: mean {:.5}, worst {:.5}; top-10 overlap {:.1} %",
        agreement.mean_cosine,
        agreement.worst_cosine,
        100.0 * agreement.top_10_overlap
    );
    if reference.is_some_and(|reference| reference.bounds_quantization) {
        check_bounds(agreement)?;
    }
    Ok(QualityReport {
        sentences: sentences.len(),
        mean_cosine: agreement.mean_cosine,
        worst_cosine: agreement.worst_cosine,
        top_10_overlap: agreement.top_10_overlap,
        byte_products: InstructionSet::detect().name().to_owned(),
        seconds: start.elapsed().as_secs_f64(),
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

/// The vectors of the checkpoint, exported with `options`. The temporary export is inside `target`, so that whoever cleans up `target` after a
/// killed run removes it, too.
fn embed(
    source: &Path,
    target: &Path,
    options: &Options,
    environment: &Environment,
    sentences: &[&str],
) -> Result<Vec<Embedding>, Error> {
    let failed = Error::writing(target);
    let directory = tempfile::Builder::new()
        .prefix(".fp32-")
        .tempdir_in(target)
        .map_err(&failed)?;
    model_files::export(source, directory.path(), options)?;
    let vectors = ExportedModel::load(directory.path(), environment)?.embed_all(sentences)?;
    directory.close().map_err(failed)?;
    Ok(vectors)
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
        let outcome = |mean, worst| check_bounds(agreement(mean, worst));
        assert!(outcome(0.9992, 0.998).is_ok());
        let mean = outcome(0.9991, 0.999).unwrap_err().to_string();
        assert!(
            mean.contains("mean cosine") && mean.contains("0.999100") && mean.contains("0.9992")
        );
        let worst = outcome(0.9993, 0.9979).unwrap_err().to_string();
        assert!(worst.contains("worst cosine") && worst.contains("0.997900"));
    }

    #[test]
    fn there_are_800_different_sentences_and_none_is_blank() {
        let sentences = sentences(true);
        assert_eq!(sentences.len(), 800);
        assert!(sentences.iter().all(|sentence| !sentence.trim().is_empty()));
        assert_eq!(sentences.iter().collect::<BTreeSet<_>>().len(), 800);
    }
}
