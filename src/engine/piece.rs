//! A part of a call's texts that enters the queue at once: most calls are one piece.

use std::ops::{Deref, Range};
use std::sync::Arc;

/// Consecutive texts of a call; clones share the call's texts.
#[derive(Debug, Clone)]
pub struct Piece {
    texts: Arc<[String]>,
    range: Range<usize>,
}

impl Piece {
    /// The texts of a call in this range.
    pub fn new(texts: &Arc<[String]>, range: Range<usize>) -> Self {
        Self {
            texts: Arc::clone(texts),
            range,
        }
    }

    /// The places of its texts in the call.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Whether it is all of its call.
    pub fn is_whole(&self) -> bool {
        self.range.len() == self.texts.len()
    }
}

impl Deref for Piece {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.texts[self.range.clone()]
    }
}
