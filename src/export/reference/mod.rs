//! Published values that an exported model must reproduce.
//!
//! Owns the files of values and the comparison. The comparison sees a model only as a [`Subject`], so that its own
//! logic can be tested where the real weights cannot be had.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::config::Precision;

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
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Gives back what was published, but for one alteration.
    struct Published<'a> {
        reference: &'a Reference,
        sum_error: f32,
        extra_id: bool,
    }

    impl Subject for Published<'_> {
        type Error = Infallible;

        fn token_ids(&mut self, text: &str) -> Result<Vec<u32>, Infallible> {
            let exact = self
                .reference
                .token_ids
                .iter()
                .find(|known| known.text == text);
            let mut ids = exact.map_or_else(
                || {
                    let set = self
                        .reference
                        .token_sets
                        .iter()
                        .find(|known| known.text == text);
                    [&[0], set.unwrap().ids.as_slice(), &[2]].concat()
                },
                |exact| exact.ids.clone(),
            );
            if self.extra_id {
                ids.insert(1, 3);
            }
            Ok(ids)
        }

        fn embed(&mut self, text: &str) -> Result<Vec<f32>, Infallible> {
            let sums = &self.reference.sums[0];
            let index = sums.texts.iter().position(|known| known == text);
            let sum = index.map_or(0.0, |index| sums.values[index] as f32 + self.sum_error);
            Ok(vec![sum])
        }
    }

    fn bge_m3() -> Reference {
        let mut reference = Reference::of_name("bge-m3").unwrap();
        reference.similarities.clear();
        reference
    }

    fn agrees(sum_error: f32, extra_id: bool, precision: Precision) -> bool {
        let reference = bge_m3();
        let mut subject = Published {
            reference: &reference,
            sum_error,
            extra_id,
        };
        let comparisons = reference.compare(&mut subject, precision).unwrap();
        assert_eq!(comparisons.len(), 7);
        comparisons.iter().all(|comparison| comparison.agrees)
    }

    #[test]
    fn every_file_of_values_can_be_read() {
        assert_eq!(Reference::all().len(), FILES.len());
    }

    #[test]
    fn published_values_agree_with_themselves_and_altered_ones_do_not() {
        assert!(agrees(0.0, false, Precision::Fp32));
        assert!(!agrees(0.011, false, Precision::Fp32));
        assert!(agrees(0.011, false, Precision::Int8));
        assert!(!agrees(0.16, false, Precision::Int8));
        assert!(!agrees(0.0, true, Precision::Fp32));
    }

    #[test]
    fn a_wrong_similarity_and_a_wrong_ranking_are_found() {
        struct Plane;
        impl Subject for Plane {
            type Error = Infallible;
            fn token_ids(&mut self, _: &str) -> Result<Vec<u32>, Infallible> {
                Ok(Vec::new())
            }
            fn embed(&mut self, text: &str) -> Result<Vec<f32>, Infallible> {
                Ok(match text {
                    "query" => vec![1.0, 0.0],
                    "near" => vec![0.8, 0.6],
                    _ => vec![0.6, 0.8],
                })
            }
        }
        let expected = |values: [f64; 2]| Similarities {
            source: String::new(),
            queries: vec!["query".to_owned()],
            passages: vec!["near".to_owned(), "far".to_owned()],
            values: vec![values.to_vec()],
            tolerance: ByPrecision {
                fp32: 0.15,
                int8: 0.3,
            },
        };
        let outcome = |values, precision| {
            let comparisons = expected(values).compare(&mut Plane, precision).unwrap();
            comparisons
                .iter()
                .map(|comparison| comparison.agrees)
                .collect::<Vec<_>>()
        };
        assert_eq!(outcome([0.8, 0.6], Precision::Fp32), [true, true, true]);
        assert_eq!(outcome([0.8, 0.4], Precision::Fp32), [true, false, true]);
        assert_eq!(outcome([0.8, 0.4], Precision::Int8), [true, true, true]);
        assert_eq!(outcome([0.7, 0.71], Precision::Fp32), [true, true, false]);
    }
}
