//! `export` and `golden`: create a model directory, and compare one with the published values of a pinned model.

use std::path::Path;

use super::load_model::runtime;
use super::{Failure, arguments, print_line};
use crate::config::Settings;
use model::Origin;
use model::export::{self, Options};

/// Exports into a directory beside the target and moves it there after the check has passed.
pub fn export(settings: &Settings, arguments: &arguments::Export) -> Result<(), Failure> {
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
    let options = options(arguments)?;
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
    Ok(())
}

/// What is not given as an argument is what the checkpoint's path says.
fn options(arguments: &arguments::Export) -> Result<Options, Failure> {
    let Origin { name, revision } = Origin::of(&arguments.checkpoint)?;
    Ok(Options {
        name: arguments.name.clone().unwrap_or(name),
        revision: arguments.revision.clone().or(revision),
        precision: arguments.precision,
        pooling: arguments.pooling,
    })
}

/// Prints every comparison; fails if one differs.
pub fn golden(settings: &Settings, arguments: &arguments::Golden) -> Result<(), Failure> {
    let comparisons = export::compare_with_reference(
        &arguments.directory,
        &arguments.model,
        &runtime(settings)?,
    )?;
    for comparison in &comparisons {
        let verdict = if comparison.is_equal {
            "agrees"
        } else {
            "DIFFERS"
        };
        print_line(format_args!(
            "{verdict}  {}: {}",
            comparison.what, comparison.found
        ))?;
    }
    let wrong = comparisons
        .iter()
        .filter(|comparison| !comparison.is_equal)
        .count();
    if wrong > 0 {
        return Err(format!("{wrong} of {} published values differ", comparisons.len()).into());
    }
    Ok(())
}
