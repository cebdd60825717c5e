//! `export-model LIBRARY CHECKPOINT TARGET NAME REVISION PRECISION REFERENCE`: a checkpoint becomes a model directory.
//!
//! Owns what a build leaves behind: a directory that has passed its check and, where REFERENCE is not empty, reproduces the
//! values published for that model. Nothing measured stays in it, so that every build gives the same bytes.

use std::error::Error;
use std::path::Path;

use model::export::{self, Options};
use model::{Environment, Precision, REPORT_FILE, load_runtime};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [
        library,
        checkpoint,
        target,
        name,
        revision,
        precision,
        reference,
    ] = &arguments[..]
    else {
        return Err("seven arguments are needed".into());
    };
    let target = Path::new(target);
    let options = Options {
        name: name.clone(),
        revision: Some(revision.clone()).filter(|revision| !revision.is_empty()),
        precision: read_precision(precision)?,
    };
    let environment = load_runtime(Path::new(library))?;
    std::fs::create_dir(target)?;
    export::export_and_check(Path::new(checkpoint), target, &options, &environment)?;
    match std::fs::remove_file(target.join(REPORT_FILE)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    if reference.is_empty() {
        println!("no values are published for {name}");
        return Ok(());
    }
    compare(target, reference, &environment)
}

fn read_precision(name: &str) -> Result<Precision, Box<dyn Error>> {
    [Precision::Fp32, Precision::Int8]
        .into_iter()
        .find(|precision| precision.to_string() == name)
        .ok_or_else(|| format!("{name} is no precision").into())
}

fn compare(
    target: &Path,
    reference: &str,
    environment: &Environment,
) -> Result<(), Box<dyn Error>> {
    let comparisons = export::golden(target, reference, environment)?;
    if let Some(wrong) = comparisons.iter().find(|comparison| !comparison.agrees) {
        return Err(format!("{} is {}: {}", wrong.what, wrong.found, wrong.source).into());
    }
    println!("{} published values agree", comparisons.len());
    Ok(())
}
