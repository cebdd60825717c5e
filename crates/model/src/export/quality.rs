//! How close the vectors of a rounded model are to those of its fp32 original.
//!
//! Owns the sentences that are embedded by both, and the bounds below which a model is refused.

use std::path::Path;
use std::time::Instant;

use ort::environment::Environment;

use super::agreement::Agreement;
use super::loaded::LoadedModel;
use super::reference::Reference;
use super::{Error, Options, export};
use crate::Precision;
use crate::{Embedding, QualityReport};
use kernels::gemm::int8::InstructionSet;

const SENTENCES: &str = include_str!("sentences.txt");
/// Sentences for weights of which nothing was published: they are random, and their figures bind nobody.
const SENTENCES_WITHOUT_REFERENCE: usize = 100;

/// The least that a rounded model must reach.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bounds {
    mean_cosine: f64,
    worst_cosine: f64,
}

/// MiniLM reaches 0.9996 and 0.9990; what the model gives is the same on every processor.
const BOUNDS: Bounds = Bounds {
    mean_cosine: 0.9992,
    worst_cosine: 0.998,
};

impl Bounds {
    /// The first figure that is below its bound is an error.
    fn check(self, agreement: Agreement) -> Result<(), Error> {
        for (name, found, least) in [
            ("mean", agreement.mean_cosine, self.mean_cosine),
            ("worst", agreement.worst_cosine, self.worst_cosine),
        ] {
            if found < least {
                return Err(Error::Check {
                    why: format!(
                        "the {name} cosine between its vectors and those in fp32 is {found:.6}, and must be at least \
                         {least}"
                    ),
                });
            }
        }
        Ok(())
    }
}

/// Compares the rounded model in `target` with an fp32 export of its checkpoint in `source`, which is removed again.
///
/// The bounds were found on one model and bind only that; see [`Reference::bounds_rounding`].
pub fn measure(
    source: &Path,
    target: &Path,
    environment: &Environment,
) -> Result<QualityReport, Error> {
    let start = Instant::now();
    let mut rounded = LoadedModel::load(target, environment)?;
    let sha256 = rounded.description().source_sha256.as_deref();
    let reference = Reference::of_source(sha256.unwrap_or_default());
    let sentences = sentences(reference.is_some());
    log::info!(
        "comparing the vectors of {} sentences with those in fp32",
        sentences.len()
    );
    let found = rounded.embed_all(&sentences)?;
    drop(rounded);
    let original = embed_in_fp32(source, target, environment, &sentences)?;
    let agreement = Agreement::of(&found, &original);
    log::info!(
        "cosine to fp32: mean {:.5}, worst {:.5}; {:.1} % of the ten nearest sentences are the same",
        agreement.mean_cosine,
        agreement.worst_cosine,
        100.0 * agreement.top_10_overlap
    );
    if reference.is_some_and(|reference| reference.bounds_rounding) {
        BOUNDS.check(agreement)?;
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

/// The vectors of the checkpoint in fp32. Its export stands inside `target` for as long as that takes, so that a run
/// that was killed leaves nothing outside of what is cleared away after it.
fn embed_in_fp32(
    source: &Path,
    target: &Path,
    environment: &Environment,
    sentences: &[&str],
) -> Result<Vec<Embedding>, Error> {
    let failed = |source| Error::Write {
        path: target.to_owned(),
        source,
    };
    let directory = tempfile::Builder::new()
        .prefix(".fp32-")
        .tempdir_in(target)
        .map_err(failed)?;
    let options = Options {
        name: "fp32 original".to_owned(),
        revision: None,
        precision: Precision::Fp32,
    };
    export(source, directory.path(), &options)?;
    let vectors = LoadedModel::load(directory.path(), environment)?.embed_all(sentences)?;
    directory.close().map_err(failed)?;
    Ok(vectors)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_figure_below_its_bound_is_named_beside_it() {
        let agreement = |mean_cosine, worst_cosine| Agreement {
            mean_cosine,
            worst_cosine,
            top_10_overlap: 0.0,
        };
        let outcome = |mean, worst| BOUNDS.check(agreement(mean, worst));
        assert!(outcome(0.9992, 0.998).is_ok());
        let mean = outcome(0.9991, 0.999).unwrap_err().to_string();
        assert!(
            mean.contains("mean cosine") && mean.contains("0.999100") && mean.contains("0.9992")
        );
        let worst = outcome(0.9993, 0.9979).unwrap_err().to_string();
        assert!(worst.contains("worst cosine") && worst.contains("0.997900"));
    }

    #[test]
    fn there_are_800_different_sentences_none_of_which_is_blank() {
        let sentences = sentences(true);
        assert_eq!(sentences.len(), 800);
        assert!(sentences.iter().all(|sentence| !sentence.trim().is_empty()));
        assert_eq!(sentences.iter().collect::<BTreeSet<_>>().len(), 800);
    }
}
