//! The process's environment variables: the only place that reads them.
//!
//! Some say what RunPod has started the program as, which is known before any setting is read.

use std::collections::HashMap;
use std::ffi::OsString;

use super::{Error, QueueVariable};

/// Prefix of the environment variables that are settings, with `__` between levels:
/// `RUNPOD_QUERY__SERVER__PORT` is `server.port`.
pub const ENVIRONMENT_PREFIX: &str = "RUNPOD_QUERY";

/// The variable with which RunPod asks for its HTTP interface at a port, instead of a worker of its queue; 0 asks for
/// nothing.
const REALTIME_VARIABLE: &str = "RUNPOD_REALTIME_PORT";

/// Variables that other programs define and that mean one of our settings; our own name for it wins.
pub const FOREIGN_VARIABLES: [(&str, &str); 5] = [
    ("PORT", "server.port"),
    ("PORT_HEALTH", "server.health_port"),
    (REALTIME_VARIABLE, "server.port"),
    ("ORT_DYLIB_PATH", "artifacts.runtime_library"),
    ("RUST_LOG", "log.filter"),
];

/// Whether RunPod has started the program as a worker of its queue: known before anything else is read.
pub fn is_queue_worker() -> bool {
    !is_realtime()
        && std::env::var(QueueVariable::GET_JOB.name).is_ok_and(|value| !value.is_empty())
}

/// Whether RunPod has asked for its HTTP interface at a port.
pub fn is_realtime() -> bool {
    std::env::var(REALTIME_VARIABLE).is_ok_and(|value| is_given(REALTIME_VARIABLE, &value))
}

/// Whether a variable says anything.
pub fn is_given(variable: &str, value: &str) -> bool {
    !(value.is_empty() || variable == REALTIME_VARIABLE && value == "0")
}

/// Every variable of the process. One that is not Unicode is an error if it is a setting, and ignored otherwise.
pub fn read() -> Result<HashMap<String, String>, Error> {
    std::env::vars_os()
        .filter_map(|(variable, value)| unicode(variable, value).transpose())
        .collect()
}

fn unicode(variable: OsString, value: OsString) -> Result<Option<(String, String)>, Error> {
    let Ok(variable) = variable.into_string() else {
        return Ok(None);
    };
    match value.into_string() {
        Ok(value) => Ok(Some((variable, value))),
        Err(_) if is_setting(&variable) => Err(Error::NotUnicode { variable }),
        Err(_) => Ok(None),
    }
}

fn is_setting(variable: &str) -> bool {
    FOREIGN_VARIABLES.iter().any(|(name, _)| *name == variable)
        || QueueVariable::ALL.iter().any(|one| one.name == variable)
        || variable.starts_with(&format!("{ENVIRONMENT_PREFIX}__"))
}
