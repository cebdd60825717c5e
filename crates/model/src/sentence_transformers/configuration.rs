//! `config_sentence_transformers.json`: the prompts, and what else concerns the model as a whole.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::refuse;
use crate::error::Error;
use crate::json::read_json;

const FILE: &str = "config_sentence_transformers.json";
/// The kind of model that gives one vector for each text.
const MODEL_TYPE: &str = "SentenceTransformer";
/// Prompts that every model has. They are empty unless the file says something else.
const BUILT_IN: [&str; 2] = ["query", "document"];

/// What concerns the model as a whole.
#[derive(Default)]
pub struct Configuration {
    /// The prompt that precedes every text; never empty.
    pub prompt: Option<String>,
}

#[derive(Deserialize)]
struct Keys {
    model_type: Option<String>,
    prompts: Option<BTreeMap<String, Option<String>>>,
    default_prompt_name: Option<String>,
    truncate_dim: Option<u64>,
}

/// Reads the file in `directory`, which the oldest models do not have.
pub fn read(directory: &Path) -> Result<Configuration, Error> {
    let path = directory.join(FILE);
    if !path.exists() {
        return Ok(Configuration::default());
    }
    let keys: Keys = read_json(&path)?;
    let prompt = keys.check().and_then(|()| keys.prompt());
    Ok(Configuration {
        prompt: prompt.map_err(|why| refuse(directory, format!("{FILE} {why}")))?,
    })
}

impl Keys {
    /// What is not supported.
    fn check(&self) -> Result<(), String> {
        if let Some(other) = self
            .model_type
            .as_deref()
            .filter(|kind| *kind != MODEL_TYPE)
        {
            return Err(format!(
                "has model_type {other:?}; only {MODEL_TYPE:?} is supported"
            ));
        }
        match self.truncate_dim {
            Some(dimensions) => Err(format!(
                "has truncate_dim {dimensions}; shortening vectors is not supported"
            )),
            None => Ok(()),
        }
    }

    /// The prompt of a call that names none.
    fn prompt(&self) -> Result<Option<String>, String> {
        let Some(name) = &self.default_prompt_name else {
            return Ok(None);
        };
        let prompts = self.prompts.as_ref();
        match prompts.and_then(|prompts| prompts.get(name)) {
            Some(prompt) => Ok(prompt.clone().filter(|prompt| !prompt.is_empty())),
            None if BUILT_IN.contains(&name.as_str()) => Ok(None),
            None => {
                let names = prompts.into_iter().flat_map(BTreeMap::keys);
                Err(format!(
                    "has default_prompt_name {name:?}, but only prompts of the names {:?}",
                    names.collect::<Vec<_>>()
                ))
            }
        }
    }
}
