//! How many tokens a text may have, by the rule of SentenceTransformers.
//!
//! Its own file says it, else the tokenizer's `tokenizer_config.json`; and never more than the transformer has positions for.
//! SentenceTransformers fails on longer texts where the files allow more than that.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::Deserialize;

use super::{refuse, transformer};
use crate::checkpoint_files::TOKENIZER_CONFIG_FILE;
use crate::error::Error;
use crate::json::read_json;

/// The limit that files say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenLimit {
    /// SentenceTransformers' own file says it.
    Own {
        /// The file's name.
        file: &'static str,
        /// Special tokens included.
        tokens: NonZeroUsize,
    },
    /// The tokenizer's file says it. It is often larger than any text.
    Tokenizer(NonZeroUsize),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenizerConfig {
    model_max_length: Option<f64>,
    /// What the key was called before.
    max_len: Option<f64>,
    truncation_side: Option<String>,
}

impl TokenLimit {
    /// Reads the limit of the model in `directory`.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let of_tokenizer = Self::of_tokenizer(directory)?;
        let Some(transformer) = transformer::read(directory)? else {
            return Ok(of_tokenizer);
        };
        let file = transformer.file;
        match transformer.max_tokens {
            Some(tokens) => Ok(Self::Own {
                file,
                tokens: whole(tokens, directory, file)?,
            }),
            None => Ok(of_tokenizer),
        }
    }

    /// Reads the limit of the tokenizer in `directory`.
    pub fn of_tokenizer(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(TOKENIZER_CONFIG_FILE);
        let config: TokenizerConfig = if path.exists() {
            read_json(&path)?
        } else {
            TokenizerConfig::default()
        };
        if config.truncation_side.as_deref() == Some("left") {
            return Err(refuse(
                directory,
                format!(
                    "{TOKENIZER_CONFIG_FILE} has truncation_side \"left\"; texts are cut only on the right"
                ),
            ));
        }
        let tokens = config.model_max_length.or(config.max_len);
        let tokens = tokens.map_or(Ok(NonZeroUsize::MAX), |tokens| {
            whole(tokens, directory, TOKENIZER_CONFIG_FILE)
        });
        Ok(Self::Tokenizer(tokens?))
    }

    /// The most tokens where there are positions for as many as `positions`.
    pub fn within(self, positions: NonZeroUsize) -> NonZeroUsize {
        match self {
            Self::Own { file, tokens } if tokens > positions => {
                log::warn!(
                    "{file} allows {tokens} tokens, but there are positions for {positions}: longer texts are truncated there"
                );
                positions
            }
            Self::Own { tokens, .. } | Self::Tokenizer(tokens) => tokens.min(positions),
        }
    }
}

/// A number of tokens. Tokenizers without a limit have 10^30, which is not an integer of any type here.
fn whole(tokens: f64, directory: &Path, file: &str) -> Result<NonZeroUsize, Error> {
    NonZeroUsize::new(tokens as usize)
        .ok_or_else(|| refuse(directory, format!("{file} allows {tokens} tokens")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(files: &[(&str, &str)], positions: usize) -> Result<usize, String> {
        let directory = tempfile::tempdir().unwrap();
        for (file, json) in files {
            std::fs::write(directory.path().join(file), json).unwrap();
        }
        let positions = NonZeroUsize::new(positions).unwrap();
        let limit = TokenLimit::read(directory.path()).map_err(|error| error.to_string())?;
        Ok(limit.within(positions).get())
    }

    #[test]
    fn the_first_file_that_says_a_limit_counts() {
        const BERT: &str = "sentence_bert_config.json";
        const XLM_ROBERTA: &str = "sentence_xlm-roberta_config.json";
        const XLNET: &str = "sentence_xlnet_config.json";
        for (files, expected) in [
            (&[][..], 100),
            (
                &[(TOKENIZER_CONFIG_FILE, r#"{"model_max_length": 50}"#)],
                50,
            ),
            (&[(TOKENIZER_CONFIG_FILE, r#"{"max_len": 50}"#)], 50),
            (
                &[
                    (TOKENIZER_CONFIG_FILE, r#"{"model_max_length": 50}"#),
                    (BERT, r#"{"max_seq_length": 70}"#),
                ],
                70,
            ),
            (
                &[
                    (TOKENIZER_CONFIG_FILE, r#"{"model_max_length": 50}"#),
                    (BERT, r#"{"max_seq_length": null}"#),
                ],
                50,
            ),
            (
                &[
                    (XLNET, r#"{"max_seq_length": 20}"#),
                    (XLM_ROBERTA, r#"{"max_seq_length": 30}"#),
                ],
                30,
            ),
            // An empty file is passed over; one that says nothing of the length is not.
            (
                &[(BERT, "{}"), (XLM_ROBERTA, r#"{"max_seq_length": 30}"#)],
                30,
            ),
            (
                &[
                    (BERT, r#"{"do_lower_case": false}"#),
                    (XLM_ROBERTA, r#"{"max_seq_length": 30}"#),
                ],
                100,
            ),
            (
                &[(
                    BERT,
                    r#"{"max_seq_length": 30, "tokenizer_args": {"model_max_length": 40}}"#,
                )],
                40,
            ),
        ] {
            assert_eq!(limit(files, 100), Ok(expected), "{files:?}");
        }
    }

    #[test]
    fn no_text_is_longer_than_there_are_positions() {
        for files in [
            ("sentence_bert_config.json", r#"{"max_seq_length": 101}"#),
            (TOKENIZER_CONFIG_FILE, r#"{"model_max_length": 1e30}"#),
            (
                TOKENIZER_CONFIG_FILE,
                r#"{"model_max_length": 1000000000000000019884624838656}"#,
            ),
        ] {
            assert_eq!(limit(&[files], 100), Ok(100), "{files:?}");
        }
    }

    #[test]
    fn a_limit_without_room_for_a_token_is_refused_by_its_file() {
        for file in ["sentence_bert_config.json", TOKENIZER_CONFIG_FILE] {
            let keys = r#"{"max_seq_length": 0, "model_max_length": -1}"#;
            let message = limit(&[(file, keys)], 100).unwrap_err();
            assert!(message.contains(file), "{message}");
        }
    }
}
