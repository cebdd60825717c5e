//! Settings that are lists.

use serde::{Deserialize, Deserializer};

/// Reads a list, or one text with commas, which is all that the environment can hold.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        List(Vec<String>),
        Text(String),
    }
    Ok(match Given::deserialize(deserializer)? {
        Given::List(members) => members,
        Given::Text(text) => text
            .split(',')
            .map(|member| member.trim().to_owned())
            .collect(),
    })
}
