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
    /// The value without the key.
    default: bool,
    /// The same in `tokenizer.json`.
    pointer: &'static str,
}

const PREFERRED: [Preferred; 2] = [
    Preferred {
        class: "BertTokenizer",
        key: "do_lower_case",
        default: true,
        pointer: "/normalizer/lowercase",
    },
    Preferred {
        class: "RobertaTokenizer",
        key: "add_prefix_space",
        default: false,
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
    let Some(preferred) = PREFERRED.iter().find(|preferred| preferred.class == class) else {
        return Ok(None);
    };
    let Preferred {
        key,
        default,
        pointer,
        ..
    } = preferred;
    let wanted = config[key].as_bool().unwrap_or(*default);
    let tokenizer: Value = read_json(&directory.join(TOKENIZER_FILE))?;
    let found = tokenizer.pointer(pointer).and_then(Value::as_bool);
    Ok(found.filter(|found| *found != wanted).map(|found| {
        format!(
            "{TOKENIZER_CONFIG_FILE} means {key} {wanted}, which transformers prefers, but {TOKENIZER_FILE} has {found} \
             in {pointer}; make them agree"
        )
    }))
}
