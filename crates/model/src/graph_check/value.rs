//! What the names in a graph stand for.

use std::fmt;

use super::tensors::Constant;

/// What a name in the graph stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Token ids of the concatenated sequences.
    Ids,
    /// Tokens of each sequence.
    Lengths,
    /// Index of the first token of each sequence.
    Starts,
    Constant(Constant<'a>),
    Floats(Rows),
    /// Bytes of quantized rows that the node of this index gives.
    Bytes(Rows, usize),
    /// How the node of this index has quantized its rows.
    Quantization(Rows, usize),
    /// Output of a matrix multiplication.
    Panels(Rows),
    /// Euclidean length of each row.
    Norms(Rows),
    /// The same, but never 0.
    Divisors(Rows),
    /// Unit vectors.
    Vectors(Rows),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    pub count: Count,
    pub width: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Tokens,
    Sequences,
}

impl fmt::Display for Rows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = match self.count {
            Count::Tokens => "tokens",
            Count::Sequences => "sequences",
        };
        write!(formatter, "[{count}, {}]", self.width)
    }
}

impl Value<'_> {
    pub fn describe(&self) -> String {
        match self {
            Self::Ids => "the token ids".to_owned(),
            Self::Lengths => "the lengths of the sequences".to_owned(),
            Self::Starts => "the starts of the sequences".to_owned(),
            Self::Constant(_) => "a constant".to_owned(),
            Self::Floats(rows) => format!("floats {rows}"),
            Self::Bytes(rows, _) | Self::Quantization(rows, _) => format!("quantized rows {rows}"),
            Self::Panels(rows) => format!("panels of {rows}"),
            Self::Norms(rows) | Self::Divisors(rows) => format!("norms of {rows}"),
            Self::Vectors(rows) => format!("unit vectors {rows}"),
        }
    }
}
