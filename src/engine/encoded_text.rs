//! What one text was turned into, shared by everyone who asked for it.

use std::sync::{Arc, OnceLock};

use serde_json::value::RawValue;

use model::Encoded;

/// In how many forms callers may write vectors; they number them from 0.
pub const WRITTEN_FORMS: usize = 2;

/// A text's vectors as a caller has written them. The engine keeps them and does not look into them.
#[derive(Debug)]
pub struct WrittenVectors {
    /// The dense vector.
    pub dense: Option<Arc<RawValue>>,
    /// The ColBERT vectors.
    pub colbert: Option<Arc<RawValue>>,
}

/// One text's outputs.
#[derive(Debug)]
pub struct EncodedText {
    /// The outputs that were asked for.
    pub encoded: Encoded,
    /// Tokens of the text, special tokens included.
    pub tokens: usize,
    /// Its vectors in each form in which a caller has written them so far.
    written: [OnceLock<WrittenVectors>; WRITTEN_FORMS],
}

impl EncodedText {
    /// Outputs that nobody has written yet.
    pub(super) fn new(encoded: Encoded, tokens: usize) -> Self {
        Self {
            encoded,
            tokens,
            written: Default::default(),
        }
    }

    /// Floats of all vectors together.
    pub fn floats(&self) -> usize {
        let dense = self.encoded.dense.as_ref().map_or(0, Vec::len);
        let colbert = self.encoded.colbert.as_ref();
        dense + colbert.map_or(0, |rows| rows.len())
    }

    /// Its vectors in the form of this number, if a caller has written them.
    pub fn written(&self, form: usize) -> Option<&WrittenVectors> {
        self.written[form].get()
    }

    /// Its vectors as the first caller has written them.
    pub(super) fn keep_written(&self, form: usize, written: WrittenVectors) -> &WrittenVectors {
        self.written[form].get_or_init(|| written)
    }

    /// Bytes that it takes, with everything that it owns.
    pub(super) fn bytes(&self) -> usize {
        let written = self.written.iter().filter_map(OnceLock::get);
        let written: usize = written.map(WrittenVectors::bytes).sum();
        let sparse = self.encoded.sparse.as_ref();
        let weights = sparse.map_or(0, |sparse| sparse.indices.len() * size_of::<(u32, f32)>());
        size_of::<Self>() + self.floats() * size_of::<f32>() + weights + written
    }
}

impl WrittenVectors {
    fn bytes(&self) -> usize {
        let written = self.dense.iter().chain(&self.colbert);
        written.map(|json| json.get().len()).sum()
    }
}
