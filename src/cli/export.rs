//! `export`: exports a checkpoint directory to a model directory.

use std::path::Path;
use std::process::ExitCode;

use super::prepare::runtime;
use super::{Failure, arguments};
use crate::config::Settings;
use model::export::{self, Options};

/// Exports to a temporary directory beside the target, which is renamed once it has passed its check.
pub fn export(settings: &Settings, arguments: &arguments::Export) -> Result<ExitCode, Failure> {
    let target = &arguments.target;
    if target.exists() {
        return Err(format!("{} exists already", target.display()).into());
    }
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let staging = tempfile::Builder::new()
        .prefix(".export-")
        .tempdir_in(parent)
        .map_err(|error| format!("cannot write into {}: {error}", parent.display()))?;
    let name = arguments.name.clone().unwrap_or_else(|| {
        let directory = arguments.checkpoint.file_name().unwrap_or_default();
        directory.to_string_lossy().into_owned()
    });
    let options = Options {
        name,
        revision: arguments.revision.clone(),
        precision: arguments.precision.into(),
    };
    let environment = runtime(settings)?;
    let description = export::export_and_check(
        &arguments.checkpoint,
        staging.path(),
        &options,
        &environment,
    )?;
    std::fs::rename(staging.keep(), target)
        .map_err(|error| format!("cannot create {}: {error}", target.display()))?;
    log::info!(
        "exported {} ({} dimensions, up to {} tokens) to {}",
        description.name,
        description.dimensions,
        description.max_tokens,
        target.display()
    );
    Ok(ExitCode::SUCCESS)
}
