//! How the sequences of a batch enter a graph, and what the batch costs.
//!
//! Owns the count of tokens that a run computes, so that whoever forms batches counts what the encoder really does.

/// How the sequences of a batch enter a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchLayout {
    /// One after the other, without padding: graphs exported by this crate.
    Concatenated,
    /// One a row, each padded to the longest: graphs of other exporters.
    Padded,
}

/// The size of a batch, in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchSize {
    sequences: usize,
    longest: usize,
    tokens: usize,
}

impl BatchLayout {
    /// Tokens that a run of a batch computes, padding included.
    pub const fn computed_tokens(self, size: BatchSize) -> usize {
        match self {
            Self::Concatenated => size.tokens,
            Self::Padded => size.sequences * size.longest,
        }
    }
}

impl BatchSize {
    /// The size with one more sequence, of `tokens` tokens.
    #[must_use]
    pub fn with(self, tokens: usize) -> Self {
        Self {
            sequences: self.sequences + 1,
            longest: self.longest.max(tokens),
            tokens: self.tokens + tokens,
        }
    }

    /// Tokens of all sequences, without padding.
    pub const fn tokens(self) -> usize {
        self.tokens
    }
}

/// The size of a batch of sequences of these lengths.
impl FromIterator<usize> for BatchSize {
    fn from_iter<T: IntoIterator<Item = usize>>(lengths: T) -> Self {
        lengths.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_counted_only_where_the_graph_has_it() {
        let size: BatchSize = [3, 500, 7].into_iter().collect();
        assert_eq!(BatchLayout::Concatenated.computed_tokens(size), 510);
        assert_eq!(BatchLayout::Padded.computed_tokens(size), 1500);
    }

    #[test]
    fn a_batch_without_sequences_costs_nothing() {
        for layout in [BatchLayout::Concatenated, BatchLayout::Padded] {
            assert_eq!(layout.computed_tokens(BatchSize::default()), 0);
        }
    }
}
