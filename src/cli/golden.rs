//! `golden`: compares a model directory with the values published for a pinned model.

use std::process::ExitCode;

use super::prepare::runtime;
use super::{Failure, arguments, print};
use crate::config::Settings;
use model::export;

/// Prints every comparison; an error if a value differs.
pub fn golden(settings: &Settings, arguments: &arguments::Golden) -> Result<ExitCode, Failure> {
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
        print::line(format_args!(
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
    Ok(ExitCode::SUCCESS)
}
