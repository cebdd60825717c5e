//! SHA-256 digests.
//!
//! Owns their text form: 64 lower-case hexadecimal digits. Invariant: a [`Sha256`] is always a whole digest, so a mistyped
//! pin fails when the pins are read and not after a download.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use sha2::Digest;

use super::Error;

/// Bytes that one system call reads.
const BUFFER_BYTES: usize = 1 << 17;

/// A sha256 digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The digest of a file's content.
    pub fn of_file(path: &Path) -> Result<Self, Error> {
        let failed = Error::file("read", path);
        let mut hasher = Hasher::default();
        hasher
            .read_to_end_of(&std::fs::File::open(path).map_err(&failed)?)
            .map_err(failed)?;
        Ok(hasher.digest())
    }

    /// The digest of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// The text is not a SHA-256 digest.
#[derive(Debug, thiserror::Error)]
#[error("a sha256 is 64 lower-case hexadecimal digits")]
pub struct NotASha256;

impl FromStr for Sha256 {
    type Err = NotASha256;

    fn from_str(text: &str) -> Result<Self, NotASha256> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(NotASha256),
        };
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
            return Err(NotASha256);
        };
        let bytes = pairs
            .iter()
            .map(|[high, low]| Ok(digit(*high)? << 4 | digit(*low)?))
            .collect::<Result<Vec<u8>, NotASha256>>()?;
        bytes.try_into().map(Self).map_err(|_| NotASha256)
    }
}

impl TryFrom<String> for Sha256 {
    type Error = NotASha256;

    fn try_from(text: String) -> Result<Self, NotASha256> {
        text.parse()
    }
}

/// Computes a digest incrementally.
#[derive(Debug, Clone, Default)]
pub(super) struct Hasher(sha2::Sha256);

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds the rest of `source` and returns its length in bytes.
    pub(super) fn read_to_end_of(&mut self, source: impl Read) -> io::Result<u64> {
        let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
        let mut length = 0;
        loop {
            let bytes = source.fill_buf()?;
            let count = bytes.len();
            if count == 0 {
                return Ok(length);
            }
            self.update(bytes);
            source.consume(count);
            length += count as u64;
        }
    }

    /// The digest of everything so far.
    pub(super) fn digest(&self) -> Sha256 {
        Sha256(self.0.clone().finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_reads_and_prints_as_hexadecimal_digits() {
        assert_eq!(Sha256::of(b"abc").to_string(), OF_ABC);
        assert_eq!(OF_ABC.parse::<Sha256>().unwrap(), Sha256::of(b"abc"));
    }

    #[test]
    fn a_text_that_is_not_a_digest_is_rejected() {
        let upper = OF_ABC.to_uppercase();
        for text in [
            "",
            "ab",
            &OF_ABC[1..],
            &OF_ABC[2..],
            &upper,
            &OF_ABC.replace('b', "é"),
        ] {
            assert!(text.parse::<Sha256>().is_err(), "{text}");
        }
    }
}
