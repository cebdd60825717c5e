//! `export-model`: exports a checkpoint to a model directory, for reproducible builds.
//!
//! Invariant: the directory has passed its check and, with a REFERENCE, reproduces the values published for that model.
//! It holds nothing measured, so every build gives the same bytes.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use clap::Parser;

use model::export::{self, Options};
use model::{Environment, Pooling, Precision, REPORT_FILE, leave, load_runtime};

/// Exports a checkpoint to a model directory, and checks it.
#[derive(Parser)]
struct Arguments {
    /// ONNX Runtime's shared library.
    library: PathBuf,
    /// Checkpoint directory, as published on Hugging Face.
    checkpoint: PathBuf,
    /// Model directory to create.
    target: PathBuf,
    /// Name by which the model is served.
    name: String,
    /// Revision of the checkpoint; empty if it has none.
    revision: String,
    /// Precision of the weights: fp16, fp32 or int8.
    precision: Precision,
    /// How token vectors are pooled, for a checkpoint whose files do not say it.
    #[arg(long)]
    pooling: Option<Pooling>,
    /// Pinned model whose published values must be reproduced; empty to compare with none.
    reference: String,
}

fn main() -> ! {
    if let Err(error) = export() {
        eprintln!("error: {error:?}");
        leave(1);
    }
    leave(0)
}

fn export() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let options = Options {
        name: arguments.name,
        revision: Some(arguments.revision).filter(|revision| !revision.is_empty()),
        precision: arguments.precision,
        pooling: arguments.pooling,
    };
    let target = &arguments.target;
    let environment = load_runtime(&arguments.library)?;
    std::fs::create_dir(target)?;
    export::export_and_check(&arguments.checkpoint, target, &options, &environment)?;
    remove_report(target)?;
    if arguments.reference.is_empty() {
        println!("no values are published for {}", options.name);
        return Ok(());
    }
    compare(target, &arguments.reference, &environment)
}

/// Removes the quality report, which contains times and differs from build to build.
fn remove_report(target: &Path) -> io::Result<()> {
    match std::fs::remove_file(target.join(REPORT_FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn compare(
    target: &Path,
    reference: &str,
    environment: &Environment,
) -> Result<(), Box<dyn Error>> {
    let comparisons = export::compare_with_reference(target, reference, environment)?;
    if let Some(wrong) = comparisons.iter().find(|comparison| !comparison.is_equal) {
        return Err(format!("{} is {}: {}", wrong.what, wrong.found, wrong.source).into());
    }
    println!("all {} published values are reproduced", comparisons.len());
    Ok(())
}
