//! The process's variables.

use std::collections::HashMap;
use std::ffi::OsString;

use super::{ENVIRONMENT_PREFIX, Error, FOREIGN_VARIABLES, QueueVariable};

/// Every variable of the process. One that is not Unicode is an error where it is a setting, and nobody's business where
/// it is none.
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
