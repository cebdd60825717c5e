//! The files with which SentenceTransformers describes a model beside its weights.
//!
//! Owns the reading of `modules.json`, `1_Pooling/config.json` and `sentence_bert_config.json`, in the layout that
//! BAAI/bge-m3 and all-MiniLM-L6-v2 are published in.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Error;

/// How the token vectors of a text become its one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The vector of the first token.
    Cls,
    /// The mean over the text's tokens, padding left out.
    Mean,
}

/// What SentenceTransformers' files say of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentenceTransformer {
    /// How token vectors are pooled.
    pub pooling: Pooling,
    /// Where texts are cut, special tokens included; absent: at the transformer's own limit.
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

#[derive(Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the published file is a list of switches"
)]
struct PoolingModes {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_sqrt_len_tokens: bool,
}

impl SentenceTransformer {
    /// Reads the description in `directory`; anything but transformer, CLS or mean pooling and normalisation is refused.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let refuse = |why: String| Error::NotAModel {
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
                    return Err(refuse(format!(
                        "{MODULES} has a module {other}, which is not supported"
                    )));
                }
            }
        }
        let pooling = pooling.ok_or_else(|| refuse(format!("{MODULES} has no Pooling module")))?;
        let pooling = read_json::<PoolingModes>(&pooling)?.only().ok_or_else(|| {
            refuse(format!(
                "{} must choose either CLS or mean pooling",
                pooling.display()
            ))
        })?;

        let limits = directory.join(SENTENCE_BERT);
        let max_tokens = if limits.exists() {
            let limits: SentenceBert = read_json(&limits)?;
            if limits.do_lower_case {
                return Err(refuse(format!(
                    "{SENTENCE_BERT} asks for do_lower_case, which is not supported"
                )));
            }
            limits.max_seq_length
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
    fn only(&self) -> Option<Pooling> {
        let unsupported = self.pooling_mode_max_tokens || self.pooling_mode_mean_sqrt_len_tokens;
        match (self.pooling_mode_cls_token, self.pooling_mode_mean_tokens) {
            (true, false) if !unsupported => Some(Pooling::Cls),
            (false, true) if !unsupported => Some(Pooling::Mean),
            _ => None,
        }
    }
}

/// Reads a JSON file; an error names it.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| Error::Description {
        path: path.to_owned(),
        source,
    })
}
