//! Exporting: from a Hugging Face checkpoint to a model directory, without Python.
//!
//! Owns the ONNX graph and the files of a model directory. The same checkpoint gives the same bytes on every machine, and a
//! model directory on which [`export_and_check`] succeeds has been loaded and run.

mod agreement;
mod check;
mod checkpoint;
mod config;
mod element_type;
mod error;
mod exported_model;
mod halves;
mod head_agreement;
mod heads;
mod model_files;
mod quality;
mod quantization;
pub mod reference;
mod safetensors;
mod tokenizer_files;
mod weight_bytes;
mod weight_files;
mod weights;

use std::path::Path;

use ort::environment::Environment;

use crate::description::Description;
use crate::precision::Precision;

#[cfg(any(test, fuzzing))]
pub(crate) use self::heads::{StateDict, state_dict};
#[cfg(any(test, fuzzing))]
pub(crate) use self::safetensors::{SafetensorsFile, Tensor};
pub use agreement::Agreement;
pub use check::{compare, compare_with_reference};
pub use error::Error;
pub use heads::StateDictError;
pub use model_files::{Options, export};
pub use reference::Comparison;
pub use weight_bytes::weight_bytes_per_pass;

/// Version of what is written for a checkpoint, so that caches do not keep old exports.
pub const FORMAT: u32 = 8;

/// Exports as [`export`] does, and checks the model directory by running it.
///
/// A model in fp16 or int8 is also compared with a temporary fp32 export of the same checkpoint; the result is written to the
/// directory as its [`QualityReport`](crate::QualityReport).
///
/// After an error the directory must not be used.
pub fn export_and_check(
    source: &Path,
    target: &Path,
    options: &Options,
    environment: &Environment,
) -> Result<Description, Error> {
    let description = export(source, target, options)?;
    check::check(target, environment)?;
    match options.precision {
        Precision::Fp32 => {}
        Precision::Fp16 | Precision::Int8 => {
            let report = quality::measure(source, target, environment)?;
            model_files::write_report(target, &report)?;
        }
    }
    Ok(description)
}
