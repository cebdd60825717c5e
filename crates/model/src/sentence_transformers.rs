//! The files in which SentenceTransformers describes a model.
//!
//! Owns the reading of `modules.json`, `sentence_bert_config.json` and the pooling's `config.json`. A model that does more
//! than pooling and normalization after the transformer is rejected.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::json::read_json;

/// How the token vectors of a text are pooled into its vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The vector of the first token.
    Cls,
    /// The mean over the text's tokens, without padding.
    Mean,
}

/// A model as SentenceTransformers describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentenceTransformer {
    /// How token vectors are pooled.
    pub pooling: Pooling,
    /// Longer token sequences are truncated, special tokens included; `None`: the transformer's own limit.
    pub max_tokens: Option<NonZeroUsize>,
}

const MODULES: &str = "modules.json";
const SENTENCE_BERT: &str = "sentence_bert_config.json";
const POOLING: &str = "config.json";

#[derive(Deserialize)]
struct Module {
    path: String,
    r#type: String,
}

#[derive(Deserialize)]
struct SentenceBert {
    max_seq_length: Option<NonZeroUsize>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the published file is a list of switches"
)]
struct PoolingModes {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
    pooling_mode_max_tokens: bool,
    pooling_mode_mean_sqrt_len_tokens: bool,
}

impl SentenceTransformer {
    /// Reads the files in `directory`; an error if one is missing or invalid, or if it asks for what is not supported.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let unsupported = |why: String| Error::NotAModel {
            directory: directory.to_owned(),
            why,
        };
        let modules: Vec<Module> = read_json(&directory.join(MODULES))?;
        let mut pooling = None;
        for module in &modules {
            match module.r#type.rsplit('.').next().unwrap_or_default() {
                "Transformer" | "Normalize" => {}
                "Pooling" => pooling = Some(directory.join(&module.path).join(POOLING)),
                other => {
                    return Err(unsupported(format!(
                        "{MODULES} has a {other} module, which is not supported"
                    )));
                }
            }
        }
        let pooling =
            pooling.ok_or_else(|| unsupported(format!("{MODULES} has no Pooling module")))?;
        let pooling = read_json::<PoolingModes>(&pooling)?.only().ok_or_else(|| {
            unsupported(format!(
                "{} must choose either CLS or mean pooling",
                pooling.display()
            ))
        })?;

        let path = directory.join(SENTENCE_BERT);
        let max_tokens = if path.exists() {
            let sentence_bert: SentenceBert = read_json(&path)?;
            if sentence_bert.do_lower_case {
                return Err(unsupported(format!(
                    "{SENTENCE_BERT} asks for do_lower_case, which is not supported"
                )));
            }
            sentence_bert.max_seq_length
        } else {
            None
        };
        Ok(Self {
            pooling,
            max_tokens,
        })
    }
}

impl PoolingModes {
    /// The only mode that is on; `None` if it is not supported or there are several.
    fn only(&self) -> Option<Pooling> {
        let unsupported = self.pooling_mode_max_tokens || self.pooling_mode_mean_sqrt_len_tokens;
        match (self.pooling_mode_cls_token, self.pooling_mode_mean_tokens) {
            (true, false) if !unsupported => Some(Pooling::Cls),
            (false, true) if !unsupported => Some(Pooling::Mean),
            _ => None,
        }
    }
}
