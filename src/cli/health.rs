//! `health`: asks the server on this machine, so that an image needs neither shell nor curl for its health check.

use std::process::ExitCode;
use std::time::Duration;

use super::{Failure, arguments, print};
use crate::config::Settings;

const TIMEOUT: Duration = Duration::from_secs(3);

/// Succeeds when the server answers that it is ready.
pub fn health(settings: &Settings, arguments: &arguments::Health) -> Result<ExitCode, Failure> {
    let own = || format!("http://127.0.0.1:{}", settings.server.port);
    let base = arguments.url.clone().unwrap_or_else(own);
    let url = format!("{}/ping", base.trim_end_matches('/'));
    // A proxy knows no server on this machine, and an image's health check no proxy.
    let client = reqwest::blocking::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .build()?;
    let status = client.get(&url).send()?.status();
    match status {
        reqwest::StatusCode::OK => {
            print::line("ready")?;
            Ok(ExitCode::SUCCESS)
        }
        reqwest::StatusCode::NO_CONTENT => Err(format!("{url}: the model is still loading").into()),
        other => Err(format!("{url} answers {other}").into()),
    }
}
