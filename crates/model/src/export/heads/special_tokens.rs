//! The special tokens that have no sparse weight, by the rule of FlagEmbedding: those that begin, end and fill up a
//! sequence, and the one for what is unknown.

use std::path::Path;

use serde::Deserialize;

use crate::checkpoint_files::TOKENIZER_CONFIG_FILE;
use crate::description::TOKENIZER_FILE;
use crate::error::Error;
use crate::json::read_json;

/// The names of the special tokens. What the file does not name has XLM-RoBERTa's name.
#[derive(Default, Deserialize)]
struct TokenizerConfig {
    cls_token: Option<Token>,
    eos_token: Option<Token>,
    pad_token: Option<Token>,
    unk_token: Option<Token>,
}

/// A special token, in the two forms in which it is written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Token {
    Content(String),
    Described { content: String },
}

#[derive(Deserialize)]
struct Tokenizer {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
}

/// Ids of the special tokens without a weight, of the checkpoint in `directory`, in ascending order.
pub fn tokens_without_weight(directory: &Path) -> Result<Vec<u32>, Error> {
    let path = directory.join(TOKENIZER_CONFIG_FILE);
    let config: TokenizerConfig = if path.exists() {
        read_json(&path)?
    } else {
        TokenizerConfig::default()
    };
    let names = [
        (config.cls_token, "<s>"),
        (config.eos_token, "</s>"),
        (config.pad_token, "<pad>"),
        (config.unk_token, "<unk>"),
    ];
    let names = names.map(|(token, default)| match token {
        Some(Token::Content(name) | Token::Described { content: name }) => name,
        None => default.to_owned(),
    });
    let tokenizer: Tokenizer = read_json(&directory.join(TOKENIZER_FILE))?;
    let special = tokenizer.added_tokens.iter();
    let special = special.filter(|token| names.contains(&token.content));
    let mut ids: Vec<u32> = special.map(|token| token.id).collect();
    ids.sort_unstable();
    Ok(ids)
}
