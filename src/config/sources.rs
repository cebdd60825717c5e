//! Reading the settings' file and the process's environment variables.
//!
//! Invariant: no other module reads the environment. Some variables say how RunPod started the program, which is needed
//! before any setting is read.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::Path;

use config::{File, FileFormat, FileSourceString};

use super::error::Syntax;
use super::{Error, QueueVariable};

/// Prefix of the environment variables that are settings, with `__` between levels:
/// `RUNPOD_QUERY__SERVER__PORT` is `server.port`.
pub const ENVIRONMENT_PREFIX: &str = "RUNPOD_QUERY";

/// The port on which RunPod wants HTTP instead of a worker of its queue; 0 means none.
const REALTIME_VARIABLE: &str = "RUNPOD_REALTIME_PORT";

/// Variables that other programs define, and the settings they stand for. Our own variable for a setting wins.
pub const FOREIGN_VARIABLES: [(&str, &str); 8] = [
    ("PORT", "server.port"),
    ("PORT_HEALTH", "server.health_port"),
    ("HEALTH_CHECK_PATH", "server.health_check_path"),
    (REALTIME_VARIABLE, "server.port"),
    ("ORT_DYLIB_PATH", "artifacts.runtime_library"),
    ("HF_ENDPOINT", "artifacts.hub_url"),
    ("HF_TOKEN", "artifacts.hub_token"),
    ("RUST_LOG", "log.filter"),
];

/// Whether RunPod started the program as a worker of its queue.
pub fn is_queue_worker() -> bool {
    !is_realtime()
        && std::env::var(QueueVariable::GET_JOB.name).is_ok_and(|value| !value.is_empty())
}

/// Whether RunPod wants HTTP on a port instead of a worker.
pub fn is_realtime() -> bool {
    std::env::var(REALTIME_VARIABLE).is_ok_and(|value| is_given(REALTIME_VARIABLE, &value))
}

/// Whether a variable has a value that counts.
pub fn is_given(variable: &str, value: &str) -> bool {
    !(value.is_empty() || variable == REALTIME_VARIABLE && value == "0")
}

/// The process's environment. A variable that is not Unicode is an error if it is a setting, and ignored otherwise.
pub fn read_environment() -> Result<HashMap<String, String>, Error> {
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

/// The settings that our own variables give.
pub fn given_settings(environment: &HashMap<String, String>) -> HashSet<String> {
    let prefix = format!("{ENVIRONMENT_PREFIX}__").to_lowercase();
    environment
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(variable, _)| {
            let variable = variable.to_lowercase();
            Some(variable.strip_prefix(&prefix)?.replace("__", "."))
        })
        .collect()
}

fn is_setting(variable: &str) -> bool {
    FOREIGN_VARIABLES.iter().any(|(name, _)| *name == variable)
        || QueueVariable::ALL.iter().any(|one| one.name == variable)
        || variable.starts_with(&format!("{ENVIRONMENT_PREFIX}__"))
}

/// Reads a file and checks that it is TOML.
pub fn read_file(path: &Path) -> Result<File<FileSourceString, FileFormat>, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    match toml::from_str::<toml::Table>(&text) {
        Ok(_) => Ok(File::from_str(&text, FileFormat::Toml)),
        Err(error) => Err(Error::Syntax(Syntax::new(path, &text, &error))),
    }
}
