//! Published values that an exported model must reproduce.
//!
//! Owns the files of values and the comparison. The comparison needs only an [`EmbeddingModel`], so that it can be tested
//! without the real weights.

mod heads;

use std::collections::BTreeSet;

use serde::Deserialize;

use self::heads::HeadValues;
use crate::outputs::{Embedding, Encoded, Outputs};
use crate::precision::Precision;

const FILES: [&str; 2] = [include_str!("bge-m3.json"), include_str!("minilm.json")];

/// A model whose values can be compared.
pub trait EmbeddingModel {
    /// Why it fails.
    type Error;
    /// Token ids of a text, special tokens included.
    fn token_ids(&mut self, text: &str) -> Result<Vec<u32>, Self::Error>;
    /// The outputs that it gives.
    fn outputs(&self) -> Outputs;
    /// Some of these outputs of a text.
    fn encode(&mut self, text: &str, outputs: Outputs) -> Result<Encoded, Self::Error>;
    /// The unit vector of a text.
    fn embed(&mut self, text: &str) -> Result<Embedding, Self::Error> {
        Ok(self.encode(text, Outputs::DENSE)?.dense.unwrap_or_default())
    }
}

/// The published values of one model.
#[derive(Debug, Deserialize)]
pub struct Reference {
    /// Name of the pinned model.
    pub name: String,
    /// SHA-256 of the weights for which the values were published.
    pub source_sha256: String,
    /// Whether an int8 export fails when its vectors are less close to fp32 than was measured for this model.
    #[serde(default)]
    pub bounds_quantization: bool,
    token_ids: Vec<TokenIds>,
    token_sets: Vec<TokenIds>,
    similarities: Vec<Similarities>,
    sums: Vec<Sums>,
    vectors: Vec<Vector>,
    #[serde(default)]
    heads: HeadValues,
}

#[derive(Debug, Deserialize)]
struct TokenIds {
    source: String,
    text: String,
    ids: Vec<u32>,
}

/// Dot products of query and passage vectors; one row for each query.
#[derive(Debug, Deserialize)]
struct Similarities {
    source: String,
    queries: Vec<String>,
    passages: Vec<String>,
    values: Vec<Vec<f64>>,
    tolerance: ByPrecision,
}

/// Sums of the components of a text's vector.
#[derive(Debug, Deserialize)]
struct Sums {
    source: String,
    texts: Vec<String>,
    values: Vec<f64>,
    tolerance: ByPrecision,
}

#[derive(Debug, Deserialize)]
struct Vector {
    source: String,
    text: String,
    smallest_cosine: ByPrecision,
    values: Vec<f32>,
}

#[derive(Debug, Deserialize)]
struct ByPrecision {
    fp32: f64,
    int8: f64,
}

impl ByPrecision {
    fn of(&self, precision: Precision) -> f64 {
        match precision {
            // Halves hold the weights so well that their vectors are equal, too.
            Precision::Fp16 | Precision::Fp32 => self.fp32,
            Precision::Int8 => self.int8,
        }
    }
}

/// A value of a model and the published one.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What was compared.
    pub what: String,
    /// Who published it.
    pub source: String,
    /// The model's value and the published one.
    pub found: String,
    /// Whether they are equal, within the tolerance.
    pub is_equal: bool,
}

impl Reference {
    /// The values published for the weights with this SHA-256.
    pub fn of_source(sha256: &str) -> Option<Self> {
        Self::all().find(|reference| reference.source_sha256 == sha256)
    }

    /// Values in the format of the files beside this module.
    pub fn parse(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// The values published for a pinned model.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::all().find(|reference| reference.name == name)
    }

    fn all() -> impl Iterator<Item = Self> {
        let files = FILES.into_iter();
        files.filter_map(|json| Self::parse(json).ok())
    }

    /// Compares the values of a model in `precision` with all published ones.
    pub fn compare<S: EmbeddingModel>(
        &self,
        model: &mut S,
        precision: Precision,
    ) -> Result<Vec<Comparison>, S::Error> {
        let mut comparisons = Vec::new();
        for expected in &self.token_ids {
            let ids = model.token_ids(&expected.text)?;
            comparisons.push(expected.compare("token ids", &ids, ids == expected.ids));
        }
        for expected in &self.token_sets {
            let ids = inner_set(&model.token_ids(&expected.text)?);
            let is_equal = ids.iter().eq(expected.ids.iter());
            comparisons.push(expected.compare("set of token ids", &Vec::from_iter(ids), is_equal));
        }
        for expected in &self.similarities {
            comparisons.extend(expected.compare(model, precision)?);
        }
        for expected in &self.sums {
            comparisons.extend(expected.compare(model, precision)?);
        }
        for expected in &self.vectors {
            let cosine = dot(&model.embed(&expected.text)?, &expected.values);
            let smallest = expected.smallest_cosine.of(precision);
            comparisons.push(Comparison {
                what: format!("vector of {:?}", expected.text),
                source: expected.source.clone(),
                found: format!("cosine {cosine:.7}, at least {smallest}"),
                is_equal: cosine >= smallest,
            });
        }
        comparisons.extend(self.heads.compare(model, precision)?);
        Ok(comparisons)
    }
}

impl TokenIds {
    fn compare(&self, what: &str, found: &[u32], is_equal: bool) -> Comparison {
        Comparison {
            what: format!("{what} of {:?}", self.text),
            source: self.source.clone(),
            found: format!("{found:?}, published {:?}", self.ids),
            is_equal,
        }
    }
}

impl Similarities {
    fn compare<S: EmbeddingModel>(
        &self,
        model: &mut S,
        precision: Precision,
    ) -> Result<Vec<Comparison>, S::Error> {
        let passages = embed_all(model, &self.passages)?;
        let tolerance = self.tolerance.of(precision);
        let mut comparisons = Vec::new();
        for (query, published) in self.queries.iter().zip(&self.values) {
            let vector = model.embed(query)?;
            let found: Vec<f64> = passages
                .iter()
                .map(|passage| dot(&vector, passage))
                .collect();
            for (found, published) in found.iter().zip(published) {
                comparisons.push(close(
                    format!("similarity to {query:?}"),
                    &self.source,
                    *found,
                    *published,
                    tolerance,
                ));
            }
            comparisons.push(Comparison {
                what: format!("ranking for {query:?}"),
                source: self.source.clone(),
                found: format!("{:?}, published {:?}", ranking(&found), ranking(published)),
                is_equal: ranking(&found) == ranking(published),
            });
        }
        Ok(comparisons)
    }
}

impl Sums {
    fn compare<S: EmbeddingModel>(
        &self,
        model: &mut S,
        precision: Precision,
    ) -> Result<Vec<Comparison>, S::Error> {
        let tolerance = self.tolerance.of(precision);
        let vectors = embed_all(model, &self.texts)?;
        let compared = self.texts.iter().zip(&vectors).zip(&self.values);
        Ok(compared
            .map(|((text, vector), published)| {
                let sum = vector.iter().map(|&component| f64::from(component)).sum();
                close(
                    format!("sum for {text:?}"),
                    &self.source,
                    sum,
                    *published,
                    tolerance,
                )
            })
            .collect())
    }
}

fn close(what: String, source: &str, found: f64, published: f64, tolerance: f64) -> Comparison {
    Comparison {
        what,
        source: source.to_owned(),
        found: format!("{found:.5}, published {published} within {tolerance}"),
        is_equal: (found - published).abs() <= tolerance,
    }
}

fn embed_all<S: EmbeddingModel>(
    model: &mut S,
    texts: &[String],
) -> Result<Vec<Embedding>, S::Error> {
    texts.iter().map(|text| model.embed(text)).collect()
}

/// The distinct ids between the first and the last token, which are special.
fn inner_set(ids: &[u32]) -> BTreeSet<u32> {
    ids.get(1..ids.len().saturating_sub(1))
        .unwrap_or_default()
        .iter()
        .copied()
        .collect()
}

/// Indices in descending order of the values.
fn ranking(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| values[right].total_cmp(&values[left]));
    order
}

fn dot(left: &[f32], right: &[f32]) -> f64 {
    left.iter()
        .zip(right)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

#[cfg(test)]
mod tests;
