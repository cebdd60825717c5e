//! How vectors are written in an answer, and what that costs.

/// How the floats of an answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// Each as the shortest decimal number that is read back as the same float.
    Decimal,
    /// All of a vector's bytes, little endian, as one base64 text.
    Base64,
}

impl Notation {
    /// Bytes of JSON that a float of a unit vector takes, separator included, in tenths: for decimals the measured mean.
    pub(super) const fn tenths_of_bytes_per_float(self) -> usize {
        match self {
            Self::Decimal => 127,
            Self::Base64 => 54,
        }
    }
}
