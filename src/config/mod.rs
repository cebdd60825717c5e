//! The settings of the program, as plain data.
//!
//! Owns the names, the defaults and the precedence of the sources: the command line overrides the environment, which
//! overrides the file, which overrides the defaults. Imports nothing of this crate. Invariant: no other module reads the
//! environment, and an unknown setting is an error.

mod artifacts;
mod engine;
mod error;
mod jobs;
mod limits;
mod list;
mod log;
mod model;
mod queue;
mod server;
mod sources;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;

use config::{Config, Environment, Value};
use serde::Deserialize;

pub use artifacts::Artifacts;
use artifacts::default_cache_directory;
pub use engine::Engine;
pub use error::Error;
pub use jobs::Jobs;
pub use limits::Limits;
pub use log::{DEFAULT_LOG_FILTER, Log, LogFormat};
pub use model::Model;
use queue::QueueValues;
pub use queue::{QueueSettings, QueueVariable};
pub use server::{Secret, Server};
pub use sources::{ENVIRONMENT_PREFIX, is_queue_worker, is_realtime};
use sources::{FOREIGN_VARIABLES, is_given};

/// The variable that is `server.api_key`.
const KEY_VARIABLE: &str = "RUNPOD_QUERY__SERVER__API_KEY";

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The HTTP listener and what it accepts.
    pub server: Server,
    /// The model to serve.
    pub model: Model,
    /// Admission, batching and threads.
    pub engine: Engine,
    /// Limits of one call.
    pub limits: Limits,
    /// Retention of jobs, and webhooks.
    pub jobs: Jobs,
    /// Where files come from and where they are kept.
    pub artifacts: Artifacts,
    /// RunPod's queue.
    pub worker: QueueSettings,
    /// The log on standard error.
    pub log: Log,
    /// RunPod's variables with unusable values, which the defaults replace.
    #[serde(skip)]
    pub unusable_variables: Vec<&'static str>,
}

/// One setting given on the command line: its dotted name and its value.
pub type Override = (&'static str, Value);

impl Settings {
    /// Reads the settings from the process's environment; see [`Settings::from_sources`].
    pub fn load(file: Option<&Path>, overrides: Vec<Override>) -> Result<Self, Error> {
        Self::from_sources(sources::read_environment()?, file, overrides)
    }

    /// Merges defaults, `file` (TOML), `environment` and `overrides`; later sources win.
    ///
    /// An empty variable counts as absent, except that of the key, which is an error.
    pub fn from_sources(
        environment: HashMap<String, String>,
        file: Option<&Path>,
        overrides: Vec<Override>,
    ) -> Result<Self, Error> {
        if environment.get(KEY_VARIABLE).is_some_and(String::is_empty) {
            return Err(Error::BlankKey);
        }
        let mut builder = Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(sources::read_file(path)?);
        }
        let queue = QueueValues::read(&environment);
        let foreign = FOREIGN_VARIABLES
            .iter()
            .filter_map(|&(variable, setting)| {
                Some((variable, setting, environment.get(variable)?))
            })
            .filter(|(variable, _, value)| is_given(variable, value))
            .map(|(_, setting, value)| (setting, value.clone()))
            .chain(queue.settings)
            .fold(Config::builder(), |config, (setting, value)| {
                config.set_override(setting, value).unwrap_or_default()
            })
            .build()?;
        let default_cache = default_cache_directory(&environment);
        let name_wins = model::name_wins([
            overrides
                .iter()
                .map(|(setting, _)| (*setting).to_owned())
                .collect(),
            sources::given_settings(&environment),
        ]);
        builder = builder.add_source(foreign).add_source(
            Environment::with_prefix(ENVIRONMENT_PREFIX)
                .prefix_separator("__")
                .separator("__")
                .ignore_empty(true)
                .source(Some(environment)),
        );
        for (setting, value) in overrides {
            builder = builder.set_override(setting, value)?;
        }
        let mut settings: Self = builder.build()?.try_deserialize()?;
        if settings.artifacts.cache_directory.is_none() {
            settings.artifacts.cache_directory = default_cache;
        }
        if name_wins {
            settings.model.directory = None;
        }
        settings.unusable_variables = queue.unusable;
        Ok(settings)
    }

    /// Format of a log message.
    pub fn log_format(&self) -> LogFormat {
        self.log.format.unwrap_or(match self.worker.endpoint_id {
            Some(_) => LogFormat::Json,
            None => LogFormat::Text,
        })
    }
}

const fn non_zero(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("a default is above zero")
}

#[cfg(test)]
mod tests;
