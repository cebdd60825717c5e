//! The pooling's `config.json`, in the form that names its mode and in the older one with a switch for each.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::path::Path;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::modules::MODULE_FILE;
use super::refuse;
use crate::error::Error;
use crate::json::read_json;

/// How the token vectors of a text are pooled into its vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The vector of the first token.
    Cls,
    /// The mean over the text's tokens, without padding.
    Mean,
}

/// How the switches of the older form begin.
const SWITCH: &str = "pooling_mode_";
/// The modes that are supported, with their names in both forms.
const SUPPORTED: [(Pooling, &str, &str); 2] = [
    (Pooling::Cls, "cls", "pooling_mode_cls_token"),
    (Pooling::Mean, "mean", "pooling_mode_mean_tokens"),
];

#[derive(Deserialize)]
struct Configuration {
    pooling_mode: Option<Modes>,
    #[serde(default = "is_included")]
    include_prompt: bool,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Modes {
    One(String),
    Several(Vec<String>),
}

fn is_included() -> bool {
    true
}

/// Reads the pooling that `folder` of a model's directory describes.
pub fn read(directory: &Path, folder: &str, has_prompt: bool) -> Result<Pooling, Error> {
    let path = directory.join(folder).join(MODULE_FILE);
    let unsupported = |why: String| refuse(directory, format!("{} {why}", path.display()));
    let configuration: Configuration = read_json(&path)?;
    if has_prompt && !configuration.include_prompt {
        return Err(unsupported(
            "has include_prompt false: pooling without the prompt's tokens is not supported"
                .to_owned(),
        ));
    }
    let modes = configuration.modes();
    let supported = SUPPORTED
        .into_iter()
        .find(|&(_, name, switch)| modes == [name] || modes == [switch]);
    supported.map(|(pooling, ..)| pooling).ok_or_else(|| {
        unsupported(format!(
            "asks for the pooling {}; only either cls or mean is supported",
            modes.join(" and ")
        ))
    })
}

impl Configuration {
    /// The names of the modes, as they are in the file. Without any, SentenceTransformers takes the mean.
    fn modes(&self) -> Vec<&str> {
        match &self.pooling_mode {
            Some(Modes::One(mode)) => return vec![mode],
            Some(Modes::Several(modes)) => return modes.iter().map(String::as_str).collect(),
            None => {}
        }
        let is_on = |value: &Value| !matches!(value, Value::Bool(false) | Value::Null);
        let switches = self.others.iter();
        let on: Vec<&str> = switches
            .filter(|(name, value)| name.starts_with(SWITCH) && is_on(value))
            .map(|(name, _)| name.as_str())
            .collect();
        if on.is_empty() { vec!["mean"] } else { on }
    }
}

impl Pooling {
    /// An error if somebody asks for another pooling than this one, which the files in `directory` describe.
    pub fn check_asked(self, asked: Self, directory: &Path) -> Result<(), Error> {
        if asked == self {
            return Ok(());
        }
        Err(refuse(
            directory,
            format!("its own files say {self} pooling, not {asked}"),
        ))
    }
}

impl Display for Pooling {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cls => "cls",
            Self::Mean => "mean",
        })
    }
}
