//! Published values that an exported model must reproduce.
//!
//! Owns the files of values and the comparison. The comparison sees a model only as a [`Subject`], so that its own
//! logic can be tested where the real weights cannot be had.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::Precision;

const FILES: [&str; 2] = [include_str!("bge-m3.json"), include_str!("minilm.json")];

/// A model as the comparison sees it.
pub trait Subject {
    /// What embedding can fail with.
    type Error;
    /// Token ids of a text, special tokens included.
    fn token_ids(&mut self, text: &str) -> Result<Vec<u32>, Self::Error>;
    /// The unit vector of a text.
    fn embed(&mut self, text: &str) -> Result<Vec<f32>, Self::Error>;
}

/// The published values of one model.
#[derive(Debug, Deserialize)]
pub struct Reference {
    /// Name of the pinned model.
    pub name: String,
    /// SHA-256 of the weights that the values belong to.
    pub source_sha256: String,
    /// Whether an int8 export must come as close to fp32 as was measured for this model.
    #[serde(default)]
    pub bounds_rounding: bool,
    token_ids: Vec<TokenIds>,
    token_sets: Vec<TokenIds>,
    similarities: Vec<Similarities>,
    sums: Vec<Sums>,
    vectors: Vec<Vector>,
}

#[derive(Debug, Deserialize)]
struct TokenIds {
    source: String,
    text: String,
    ids: Vec<u32>,
}

/// Products of query and passage vectors; queries are rows.
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
            Precision::Fp32 => self.fp32,
            Precision::Int8 => self.int8,
        }
    }
}

/// One value compared with what was published.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What was compared.
    pub what: String,
    /// Who published it.
    pub source: String,
    /// What was found beside what was published.
    pub found: String,
    /// Whether it agrees.
    pub agrees: bool,
}

impl Reference {
    /// The values published for the weights with this SHA-256.
    pub fn of_source(sha256: &str) -> Option<Self> {
        Self::all()
            .into_iter()
            .find(|reference| reference.source_sha256 == sha256)
    }

    /// The values published for a pinned model.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::all()
            .into_iter()
            .find(|reference| reference.name == name)
    }

    fn all() -> Vec<Self> {
        FILES
            .iter()
            .filter_map(|json| serde_json::from_str(json).ok())
            .collect()
    }

    /// Compares a model in `precision` with every published value.
    pub fn compare<S: Subject>(
        &self,
        subject: &mut S,
        precision: Precision,
    ) -> Result<Vec<Comparison>, S::Error> {
        let mut comparisons = Vec::new();
        for expected in &self.token_ids {
            let ids = subject.token_ids(&expected.text)?;
            comparisons.push(expected.compare("token ids", &ids, ids == expected.ids));
        }
        for expected in &self.token_sets {
            let ids = inner_set(&subject.token_ids(&expected.text)?);
            let agrees = ids.iter().eq(expected.ids.iter());
            comparisons.push(expected.compare("set of token ids", &Vec::from_iter(ids), agrees));
        }
        for expected in &self.similarities {
            comparisons.extend(expected.compare(subject, precision)?);
        }
        for expected in &self.sums {
            comparisons.extend(expected.compare(subject, precision)?);
        }
        for expected in &self.vectors {
            let cosine = dot(&subject.embed(&expected.text)?, &expected.values);
            let smallest = expected.smallest_cosine.of(precision);
            comparisons.push(Comparison {
                what: format!("vector of {:?}", expected.text),
                source: expected.source.clone(),
                found: format!("cosine {cosine:.7}, at least {smallest}"),
                agrees: cosine >= smallest,
            });
        }
        Ok(comparisons)
    }
}

impl TokenIds {
    fn compare(&self, what: &str, found: &[u32], agrees: bool) -> Comparison {
        Comparison {
            what: format!("{what} of {:?}", self.text),
            source: self.source.clone(),
            found: format!("{found:?}, published {:?}", self.ids),
            agrees,
        }
    }
}

impl Similarities {
    fn compare<S: Subject>(
        &self,
        subject: &mut S,
        precision: Precision,
    ) -> Result<Vec<Comparison>, S::Error> {
        let passages = embed_all(subject, &self.passages)?;
        let tolerance = self.tolerance.of(precision);
        let mut comparisons = Vec::new();
        for (query, published) in self.queries.iter().zip(&self.values) {
            let vector = subject.embed(query)?;
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
                agrees: ranking(&found) == ranking(published),
            });
        }
        Ok(comparisons)
    }
}

impl Sums {
    fn compare<S: Subject>(
        &self,
        subject: &mut S,
        precision: Precision,
    ) -> Result<Vec<Comparison>, S::Error> {
        let tolerance = self.tolerance.of(precision);
        let vectors = embed_all(subject, &self.texts)?;
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
        agrees: (found - published).abs() <= tolerance,
    }
}

fn embed_all<S: Subject>(subject: &mut S, texts: &[String]) -> Result<Vec<Vec<f32>>, S::Error> {
    texts.iter().map(|text| subject.embed(text)).collect()
}

/// The distinct ids between the first and the last token, which are special.
fn inner_set(ids: &[u32]) -> BTreeSet<u32> {
    ids.get(1..ids.len().saturating_sub(1))
        .unwrap_or_default()
        .iter()
        .copied()
        .collect()
}

/// Indices from the largest value to the smallest.
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
