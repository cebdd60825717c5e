//! What a text can be turned into: a dense vector, sparse weights, ColBERT vectors.
//!
//! Owns their names, sets of them, and the values. Definitions: FlagEmbedding's encoder-only m3 models.

use std::collections::BTreeMap;

use clap::ValueEnum;
use ndarray::Array2;
use serde::{Serialize, Serializer};

/// One kind of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// One vector for the text.
    Dense,
    /// A weight for each token that the text contains.
    Sparse,
    /// A vector for each token but the first.
    Colbert,
}

impl Output {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Dense, Self::Sparse, Self::Colbert];

    /// Its name in requests, settings and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Sparse => "sparse",
            Self::Colbert => "colbert",
        }
    }
}

/// A set of outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Outputs(u8);

impl Outputs {
    /// Dense vectors alone: what every model gives.
    pub const DENSE: Self = Self::NONE.with(Output::Dense);
    const NONE: Self = Self(0);

    /// The set with one more output.
    #[must_use]
    pub const fn with(self, output: Output) -> Self {
        Self(self.0 | 1 << output as u8)
    }

    /// Whether it has an output.
    pub const fn has(self, output: Output) -> bool {
        self.0 & 1 << output as u8 != 0
    }

    /// Whether any output needs the vectors of all tokens.
    pub const fn needs_all_tokens(self) -> bool {
        self.has(Output::Sparse) || self.has(Output::Colbert)
    }

    /// The first output that is not in `served`.
    pub fn missing_from(self, served: Self) -> Option<Output> {
        self.iter().find(|output| !served.has(*output))
    }

    /// The names of its members, with commas.
    pub fn names(self) -> String {
        let names: Vec<&str> = self.iter().map(Output::as_str).collect();
        names.join(", ")
    }

    /// Its members, in the order of [`Output::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Output> {
        Output::ALL
            .into_iter()
            .filter(move |output| self.has(*output))
    }
}

impl FromIterator<Output> for Outputs {
    fn from_iter<T: IntoIterator<Item = Output>>(outputs: T) -> Self {
        outputs.into_iter().fold(Self::NONE, Self::with)
    }
}

/// As a list of names.
impl Serialize for Outputs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl Default for Outputs {
    fn default() -> Self {
        Self::DENSE
    }
}

/// A text's dense vector: as many floats as the model has dimensions, of Euclidean length 1.
pub type Embedding = Vec<f32>;

/// A text's sparse weights: token ids in ascending order, and a weight above 0 for each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseEmbedding {
    /// Token ids.
    pub indices: Vec<u32>,
    /// Their weights.
    pub values: Vec<f32>,
}

impl SparseEmbedding {
    /// The greatest weight of each token of a text, given with the weight of each of its places; ids in `dropped` and
    /// weights of 0 are left out.
    pub fn of_tokens(ids: &[u32], weights: &[f32], dropped: &[u32]) -> Self {
        let mut greatest = BTreeMap::<u32, f32>::new();
        for (&id, &weight) in ids.iter().zip(weights) {
            if weight > 0.0 && !dropped.contains(&id) {
                let known = greatest.entry(id).or_default();
                *known = known.max(weight);
            }
        }
        let (indices, values) = greatest.into_iter().unzip();
        Self { indices, values }
    }

    /// The lexical score of two texts: the sum over the tokens of both of the product of their weights.
    pub fn score(&self, other: &Self) -> f32 {
        let own = self.indices.iter().zip(&self.values);
        let products = own.filter_map(|(id, weight)| {
            let place = other.indices.binary_search(id).ok()?;
            Some(weight * other.values[place])
        });
        products.sum()
    }
}

/// A text's ColBERT vectors: a row for each token but the first, each of Euclidean length 1.
pub type ColbertEmbedding = Array2<f32>;

/// The ColBERT score of a query and a passage: for each row of the query the greatest dot product with a row of the
/// passage; the mean of these.
pub fn colbert_score(query: &ColbertEmbedding, passage: &ColbertEmbedding) -> f32 {
    let products = query.dot(&passage.t());
    let greatest = products
        .rows()
        .into_iter()
        .map(|row| row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    greatest.sum::<f32>() / query.nrows() as f32
}

/// What a text was turned into: the outputs that were asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    /// The dense vector.
    pub dense: Option<Embedding>,
    /// The sparse weights.
    pub sparse: Option<SparseEmbedding>,
    /// The ColBERT vectors.
    pub colbert: Option<ColbertEmbedding>,
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_repeated_token_has_its_greatest_weight_and_special_tokens_have_none() {
        let sparse = SparseEmbedding::of_tokens(
            &[0, 9, 5, 9, 7, 2],
            &[1.0, 0.25, 0.5, 0.75, 0.0, 3.0],
            &[0, 2],
        );
        assert_eq!(sparse.indices, [5, 9]);
        assert_eq!(sparse.values, [0.5, 0.75]);
    }

    #[test]
    fn the_lexical_score_is_the_sum_over_common_tokens() {
        let sparse = |ids: &[u32]| SparseEmbedding {
            indices: ids.to_vec(),
            values: ids.iter().map(|&id| id as f32).collect(),
        };
        assert_eq!(sparse(&[1, 3, 5]).score(&sparse(&[2, 3, 4, 5])), 9.0 + 25.0);
        assert_eq!(sparse(&[1]).score(&sparse(&[2])), 0.0);
    }

    #[test]
    fn the_colbert_score_is_the_mean_of_each_query_rows_best_match() {
        let query = array![[1.0, 0.0], [0.0, 1.0]];
        let passage = array![[0.6, 0.8], [1.0, 0.0], [-1.0, 0.0]];
        assert!((colbert_score(&query, &passage) - 0.9).abs() < 1e-6);
    }

    #[test]
    fn a_set_has_its_members_in_one_order() {
        let outputs: Outputs = [Output::Colbert, Output::Dense].into_iter().collect();
        assert!(outputs.iter().eq([Output::Dense, Output::Colbert]));
        assert!(outputs.needs_all_tokens() && !Outputs::DENSE.needs_all_tokens());
        assert_eq!(outputs.names(), "dense, colbert");
        assert_eq!(outputs.missing_from(Outputs::DENSE), Some(Output::Colbert));
        assert_eq!(Outputs::DENSE.missing_from(outputs), None);
    }
}
