//! The Transformer module's own file: `sentence_bert_config.json`, or one of the names it had for other architectures.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::refuse;
use crate::error::Error;
use crate::json::read_json;

/// The file's names, in the order in which SentenceTransformers looks for them.
const FILES: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];
/// The only task whose output are token vectors for a pooling.
const TASK: &str = "feature-extraction";

/// What the file says of the longest text.
pub struct Transformer {
    /// The file's name.
    pub file: &'static str,
    /// Its limit of tokens, in the number format of JSON; `None`: the tokenizer's.
    pub max_tokens: Option<f64>,
}

#[derive(Deserialize)]
struct Keys {
    max_seq_length: Option<f64>,
    do_lower_case: Option<bool>,
    transformer_task: Option<String>,
    processing_kwargs: Option<Map<String, Value>>,
    /// Arguments of the tokenizer, which newer releases call a processor.
    #[serde(alias = "tokenizer_args")]
    processor_kwargs: Option<TokenizerArguments>,
}

#[derive(Deserialize)]
struct TokenizerArguments {
    model_max_length: Option<f64>,
}

/// Reads the first of the files in `directory` that is there and not empty; `None` without one.
pub fn read(directory: &Path) -> Result<Option<Transformer>, Error> {
    for file in FILES {
        let path = directory.join(file);
        if path.exists() && !read_json::<Map<String, Value>>(&path)?.is_empty() {
            let keys: Keys = read_json(&path)?;
            keys.check().map_err(|why| {
                refuse(
                    directory,
                    format!("{file} asks for {why}, which is not supported"),
                )
            })?;
            return Ok(Some(Transformer {
                file,
                max_tokens: keys.max_tokens(),
            }));
        }
    }
    Ok(None)
}

impl Keys {
    /// What is not supported.
    fn check(&self) -> Result<(), String> {
        if self.do_lower_case == Some(true) {
            return Err("do_lower_case".to_owned());
        }
        if let Some(task) = self
            .transformer_task
            .as_deref()
            .filter(|task| *task != TASK)
        {
            return Err(format!("transformer_task {task:?}"));
        }
        let arguments = self.processing_kwargs.iter().flatten();
        match arguments.map(|(name, _)| name).next() {
            Some(name) => Err(format!("processing_kwargs of {name:?}")),
            None => Ok(()),
        }
    }

    /// The tokenizer's arguments are nearer to the tokenizer, so they win.
    fn max_tokens(&self) -> Option<f64> {
        let arguments = self.processor_kwargs.as_ref();
        arguments
            .and_then(|arguments| arguments.model_max_length)
            .or(self.max_seq_length)
    }
}
