//! The settings of the program, as plain data.
//!
//! Owns the names, the defaults and the precedence of the sources: the command line overrides the environment, which
//! overrides the file, which overrides the defaults. Imports nothing of this crate. Invariant: no other module reads the
//! environment, and an unknown setting is an error.

mod error;
mod jobs;
mod queue;
mod server;
mod sources;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use config::{Config, Environment, Value};
use model::Precision;
use serde::Deserialize;

pub use error::Error;
pub use jobs::Jobs;
use queue::QueueValues;
pub use queue::{QueueSettings, QueueVariable};
pub use server::{Secret, Server};
pub use sources::{ENVIRONMENT_PREFIX, is_queue_worker, is_realtime};
use sources::{FOREIGN_VARIABLES, is_given};

/// The default log filter, which leaves out the HTTP library's own messages.
pub const DEFAULT_LOG_FILTER: &str = "info,actix_server=warn";

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

/// The model to serve.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// Name of a pinned model: `bge-m3` or `minilm`.
    pub name: String,
    /// A model directory to serve instead of a pinned model.
    pub directory: Option<PathBuf>,
    /// Precision of the pinned model; absent: fp32. A model directory must have it, if it is given.
    pub precision: Option<Precision>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            name: "bge-m3".to_owned(),
            directory: None,
            precision: None,
        }
    }
}

/// Admission, batching and threads.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Engine {
    /// Largest number of texts that wait for the model at the same time; more are rejected as `overloaded`.
    pub queue_texts: NonZeroUsize,
    /// Largest batch, in padded tokens (rows x longest row). A longer text is a batch of its own.
    pub batch_tokens: NonZeroUsize,
    /// Threads of the model; absent: the container's CPU quota.
    pub threads: Option<NonZeroUsize>,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            queue_texts: non_zero(1024),
            batch_tokens: non_zero(512),
            threads: None,
        }
    }
}

/// Limits of one call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Texts in one call.
    pub texts_per_call: NonZeroUsize,
    /// Largest result, in bytes of JSON.
    pub result_bytes: NonZeroUsize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            texts_per_call: non_zero(512),
            result_bytes: non_zero(10_000_000),
        }
    }
}

/// Where files come from and where they are kept.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Artifacts {
    /// Folder for downloaded and exported files; absent: `runpod-query` in the user's cache folder.
    pub cache_directory: Option<PathBuf>,
    /// Never download: a missing file is an error that names it.
    pub offline: bool,
    /// ONNX Runtime's shared library; absent: the pinned one is downloaded. `ORT_DYLIB_PATH` means the same.
    pub runtime_library: Option<PathBuf>,
    /// URL of the model hub; absent: the pinned one.
    pub hub_url: Option<String>,
}

/// The log on standard error.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Which messages are written, in `env_logger`'s syntax. `RUST_LOG` means the same.
    pub filter: String,
    /// Format of a message; absent: JSON if RunPod has named an endpoint, else text.
    pub format: Option<LogFormat>,
}

/// Format of a log message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A readable line.
    Text,
    /// One JSON object per line, with the fields of RunPod's package.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: DEFAULT_LOG_FILTER.to_owned(),
            format: None,
        }
    }
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

impl Artifacts {
    /// The folder for downloaded and exported files.
    pub fn cache_directory(&self) -> Result<&Path, Error> {
        self.cache_directory
            .as_deref()
            .ok_or(Error::NoCacheDirectory)
    }
}

/// Follows the XDG base directory specification.
fn default_cache_directory(environment: &HashMap<String, String>) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = PathBuf::from(environment.get(name)?);
        path.is_absolute().then_some(path)
    };
    let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(base.join("runpod-query"))
}

const fn non_zero(value: usize) -> NonZeroUsize {
    NonZeroUsize::new(value).expect("a default is above zero")
}

#[cfg(test)]
mod tests;
