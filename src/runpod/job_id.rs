//! A job's name, which only RunPod understands.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// Characters of a name that the log shows: RunPod's own have 44 at most.
const SHOWN_CHARACTERS: usize = 80;

/// A job's name: not empty, and fit for a path once it is encoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(String);

impl JobId {
    /// Takes `name` unless no address could hold it: a path loses its empty and dotted segments.
    pub fn new(name: String) -> Option<Self> {
        (!matches!(name.as_str(), "" | "." | "..")).then_some(Self(name))
    }

    /// The name as RunPod gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it stands in a path or a query.
    pub fn encoded(&self) -> String {
        encode(&self.0)
    }
}

/// Shows the beginning, escaped.
impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.0.chars().take(SHOWN_CHARACTERS).collect();
        write!(formatter, "{}", shown.escape_debug())
    }
}

/// Percent-encodes `text` for a path or a query.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
