//! Lists of texts.

use serde::{Deserialize, Deserializer};

/// Reads a list, or one text with commas, which is all that the environment can hold.
pub fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        List(Vec<String>),
        Joined(String),
    }
    Ok(match Texts::deserialize(deserializer)? {
        Texts::List(texts) => texts,
        Texts::Joined(text) => text.split(',').map(|text| text.trim().to_owned()).collect(),
    })
}
