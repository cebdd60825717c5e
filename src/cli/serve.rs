//! `serve` and `openapi`: the service, and its description.

use std::process::ExitCode;

use super::Failure;
use crate::config::Settings;

pub fn serve(_settings: Settings) -> Result<ExitCode, Failure> {
    Err("not yet".into())
}

pub fn openapi() -> Result<ExitCode, Failure> {
    Err("not yet".into())
}
