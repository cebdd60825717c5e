//! How large a result will be, before it is computed.

use super::{EncodingFormat, ModelInfo};
use model::{Output, Outputs};

/// Bytes of a token's sparse weight: about half of a text's tokens have one, of about 16 bytes.
const BYTES_PER_SPARSE_TOKEN: usize = 8;

/// The size of a result that depends on nothing but numbers of texts and tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultSize {
    texts: usize,
    /// Bytes of a text's dense vector.
    dense: usize,
    /// Bytes of one of a text's ColBERT vectors, of which it has one less than tokens.
    colbert: usize,
    /// Bytes of a token's sparse weight.
    sparse: usize,
}

impl ResultSize {
    /// The size of the result for a number of texts.
    pub fn new(texts: usize, outputs: Outputs, format: EncodingFormat, model: &ModelInfo) -> Self {
        let floats = |count| count * format.tenths_of_bytes_per_float() / 10;
        let if_asked = |output, bytes| if outputs.has(output) { bytes } else { 0 };
        Self {
            texts,
            dense: if_asked(Output::Dense, floats(model.dimensions)),
            colbert: if_asked(
                Output::Colbert,
                floats(model.colbert_dimensions.unwrap_or(0)),
            ),
            sparse: if_asked(Output::Sparse, BYTES_PER_SPARSE_TOKEN),
        }
    }

    /// Bytes, if the texts have so many tokens together, special tokens included.
    pub fn bytes(self, tokens: usize) -> usize {
        self.texts * self.dense
            + tokens.saturating_sub(self.texts) * self.colbert
            + tokens * self.sparse
    }

    /// The largest number of tokens with which the result has at most `limit` bytes.
    pub fn most_tokens(self, limit: usize) -> usize {
        let of_tokens = limit.saturating_sub(self.texts * self.dense);
        (of_tokens + self.texts * self.colbert)
            .checked_div(self.colbert + self.sparse)
            .unwrap_or(usize::MAX)
    }
}
