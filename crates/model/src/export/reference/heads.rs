//! Published sparse weights, and scores of sparse weights and of ColBERT vectors.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{ByPrecision, Comparison, EmbeddingModel, close};
use crate::outputs::{Encoded, Output, Outputs, colbert_score};
use crate::precision::Precision;

/// What is published of a model's heads. A model without a head is not compared.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct HeadValues {
    sparse: Vec<SparseWeights>,
    lexical_scores: Vec<Score>,
    colbert_scores: Vec<Score>,
}

/// The weight of each token of a text; a token that is missing has weight 0.
#[derive(Debug, Deserialize)]
struct SparseWeights {
    source: String,
    text: String,
    weights: BTreeMap<u32, f32>,
    tolerance: ByPrecision,
}

/// How well a query and a passage match.
#[derive(Debug, Deserialize)]
struct Score {
    source: String,
    texts: [String; 2],
    value: f64,
    tolerance: ByPrecision,
}

impl HeadValues {
    /// Compares the outputs of a model in `precision` with all published values of the heads that it has.
    pub fn compare<S: EmbeddingModel>(
        &self,
        model: &mut S,
        precision: Precision,
    ) -> Result<Vec<Comparison>, S::Error> {
        let mut comparisons = Vec::new();
        if model.outputs().has(Output::Sparse) {
            for expected in &self.sparse {
                comparisons.push(expected.compare(model, precision)?);
            }
            for expected in &self.lexical_scores {
                comparisons.push(expected.compare(model, precision, Output::Sparse, lexical)?);
            }
        }
        if model.outputs().has(Output::Colbert) {
            for expected in &self.colbert_scores {
                comparisons.push(expected.compare(model, precision, Output::Colbert, colbert)?);
            }
        }
        Ok(comparisons)
    }
}

impl SparseWeights {
    fn compare<S: EmbeddingModel>(
        &self,
        model: &mut S,
        precision: Precision,
    ) -> Result<Comparison, S::Error> {
        let encoded = model.encode(&self.text, only(Output::Sparse))?;
        let found = encoded.sparse.unwrap_or_default();
        let found: BTreeMap<u32, f32> = found.indices.into_iter().zip(found.values).collect();
        let ids: BTreeSet<&u32> = found.keys().chain(self.weights.keys()).collect();
        let weight = |weights: &BTreeMap<u32, f32>, id| weights.get(id).copied().unwrap_or(0.0);
        let difference = ids
            .into_iter()
            .map(|id| f64::from((weight(&found, id) - weight(&self.weights, id)).abs()))
            .fold(0.0, f64::max);
        let tolerance = self.tolerance.of(precision);
        Ok(Comparison {
            what: format!("sparse weights of {:?}", self.text),
            source: self.source.clone(),
            found: format!("off by at most {difference:.5}, accepted {tolerance}"),
            is_equal: difference <= tolerance,
        })
    }
}

impl Score {
    fn compare<S: EmbeddingModel>(
        &self,
        model: &mut S,
        precision: Precision,
        output: Output,
        score: fn(&Encoded, &Encoded) -> Option<f32>,
    ) -> Result<Comparison, S::Error> {
        let [query, passage] = &self.texts;
        let what = format!("{} score of {query:?} and {passage:?}", output.as_str());
        let query = model.encode(query, only(output))?;
        let passage = model.encode(passage, only(output))?;
        let found = score(&query, &passage).map_or(f64::NAN, f64::from);
        let tolerance = self.tolerance.of(precision);
        Ok(close(what, &self.source, found, self.value, tolerance))
    }
}

fn only(output: Output) -> Outputs {
    [output].into_iter().collect()
}

fn lexical(query: &Encoded, passage: &Encoded) -> Option<f32> {
    Some(query.sparse.as_ref()?.score(passage.sparse.as_ref()?))
}

fn colbert(query: &Encoded, passage: &Encoded) -> Option<f32> {
    Some(colbert_score(
        query.colbert.as_ref()?,
        passage.colbert.as_ref()?,
    ))
}
