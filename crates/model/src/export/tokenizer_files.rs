//! Whether a checkpoint's tokenizer fits the rest of the checkpoint.
//!
//! Only `tokenizer.json` becomes part of the model. A checkpoint for which transformers would not do what that file says is
//! refused, because its vectors would be others than SentenceTransformer's.

use std::num::NonZeroUsize;
use std::path::Path;

use serde_json::Value;

use super::error::Error;
use crate::checkpoint_files::TOKENIZER_CONFIG_FILE;
use crate::description::TOKENIZER_FILE;
use crate::json::read_json;
use crate::tokenizer::Tokenizer;

/// A key of `tokenizer_config.json` that transformers prefers to what `tokenizer.json` says.
struct Preferred {
    /// The class of tokenizers that has the key, without the ending `Fast`.
    class: &'static str,
    key: &'static str,
    /// The value without the key; `None`: as [`LOWERCASE`], which `null` in `tokenizer.json` means there, too.
    default: Option<bool>,
    /// The same in `tokenizer.json`.
    pointer: &'static str,
}

/// Whether BERT's normalizer writes all letters small.
const LOWERCASE: &str = "/normalizer/lowercase";

const PREFERRED: [Preferred; 4] = [
    Preferred {
        class: "BertTokenizer",
        key: "do_lower_case",
        default: Some(true),
        pointer: LOWERCASE,
    },
    Preferred {
        class: "BertTokenizer",
        key: "strip_accents",
        default: None,
        pointer: "/normalizer/strip_accents",
    },
    Preferred {
        class: "BertTokenizer",
        key: "tokenize_chinese_chars",
        default: Some(true),
        pointer: "/normalizer/handle_chinese_chars",
    },
    Preferred {
        class: "RobertaTokenizer",
        key: "add_prefix_space",
        default: Some(false),
        pointer: "/pre_tokenizer/add_prefix_space",
    },
];

/// An error if the tokenizer cannot be used with as many rows of word embeddings as `rows`, or if transformers changes it.
pub fn check(directory: &Path, max_tokens: NonZeroUsize, rows: usize) -> Result<(), Error> {
    let unsupported = |why: String| Error::Checkpoint {
        directory: directory.to_owned(),
        why,
    };
    if let Some(why) = contradiction(directory)? {
        return Err(unsupported(why));
    }
    let tokenizer = Tokenizer::load(&directory.join(TOKENIZER_FILE), max_tokens)?;
    match tokenizer.last_token() {
        Some((token, id)) if id as usize >= rows => Err(unsupported(format!(
            "{TOKENIZER_FILE} has the token {token:?} with the id {id}, but the word embeddings have only {rows} rows"
        ))),
        _ => Ok(()),
    }
}

/// Where the two descriptions of the tokenizer differ.
fn contradiction(directory: &Path) -> Result<Option<String>, Error> {
    let path = directory.join(TOKENIZER_CONFIG_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let config: Value = read_json(&path)?;
    let class = config["tokenizer_class"].as_str().unwrap_or_default();
    let class = class.strip_suffix("Fast").unwrap_or(class);
    let mut preferred = PREFERRED
        .iter()
        .filter(|preferred| preferred.class == class)
        .peekable();
    if preferred.peek().is_none() {
        return Ok(None);
    }
    let tokenizer: Value = read_json(&directory.join(TOKENIZER_FILE))?;
    Ok(preferred.find_map(|preferred| preferred.contradiction(&config, &tokenizer)))
}

impl Preferred {
    /// How the two files differ in this key. A tokenizer that has nothing of the kind does not differ.
    fn contradiction(&self, config: &Value, tokenizer: &Value) -> Option<String> {
        let Self {
            key,
            default,
            pointer,
            ..
        } = *self;
        let lowercase = tokenizer.pointer(LOWERCASE).and_then(Value::as_bool);
        let found = tokenizer.pointer(pointer)?;
        let meant = found
            .as_bool()
            .or(lowercase.filter(|_| default.is_none()))?;
        let wanted = config[key].as_bool().or(default).or(lowercase)?;
        (meant != wanted).then(|| {
            format!(
                "{TOKENIZER_CONFIG_FILE} means {key} {wanted}, which transformers prefers, but {TOKENIZER_FILE} has {found} \
                 in {pointer}; make them agree"
            )
        })
    }
}
