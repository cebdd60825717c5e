//! Running one job locally, as RunPod's package does to test a handler.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::handler_flags::HandlerFlags;
use super::{Failure, print_line, serve};
use crate::config::{self, Settings};
use crate::service::{Call, Request, RequestLimits, Service};

/// File of the job if none is given as an argument.
const FILE: &str = "test_input.json";
/// Id of a job without one.
const NAME: &str = "local_test";

/// A job that has not been parsed yet.
pub struct LocalJob {
    /// The argument or file it comes from.
    source: &'static str,
    json: String,
}

#[derive(Deserialize)]
struct Fields {
    id: Option<String>,
    input: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Printed<'a> {
    id: &'a str,
    output: &'a RawValue,
}

/// The job to run instead of serving: the one in the arguments or, if there is no command, the one in
/// `test_input.json`.
pub fn job(
    handler: &HandlerFlags,
    is_bare: bool,
    settings: &Settings,
) -> Result<Option<LocalJob>, Failure> {
    if handler.serve_api || config::is_realtime() {
        return Ok(None);
    }
    if let Some(json) = handler.test_input.clone() {
        let source = "--test_input";
        return Ok(Some(LocalJob { source, json }));
    }
    if !is_bare || settings.worker.get_job_url.is_some() {
        return Ok(None);
    }
    match std::fs::read_to_string(Path::new(FILE)) {
        Ok(json) => Ok(Some(LocalJob { source: FILE, json })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {FILE}: {error}").into()),
    }
}

/// Runs a job and prints its result.
pub fn perform(settings: &Settings, job: &LocalJob) -> Result<(), Failure> {
    let source = job.source;
    let fields: Fields = serde_json::from_str(&job.json)
        .map_err(|error| format!("{source} is not a job: {error}"))?;
    let input = fields
        .input
        .ok_or_else(|| format!("{source} has no input; it must be {{\"input\": {{...}}}}"))?;
    let loaded = serve::load(settings)?;
    let service = Service::new(RequestLimits::of_call(settings));
    service.fill(loaded);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let request = Request::parse(&input, service.limits().texts);
    let performed = runtime.block_on(service.perform(&request, Call::default()));
    let performed = performed.map_err(|error| error.line())?;
    let printed = Printed {
        id: fields.id.as_deref().unwrap_or(NAME),
        output: &performed.output,
    };
    print_line(serde_json::to_string(&printed)?)?;
    Ok(())
}
