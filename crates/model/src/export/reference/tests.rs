use std::convert::Infallible;

use super::*;

/// A model that gives the published values, with at most one change.
struct Published<'a> {
    reference: &'a Reference,
    sum_error: f32,
    extra_id: bool,
}

impl EmbeddingModel for Published<'_> {
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

    fn outputs(&self) -> Outputs {
        Outputs::DENSE
    }

    fn encode(&mut self, text: &str, _: Outputs) -> Result<Encoded, Infallible> {
        let sums = &self.reference.sums[0];
        let index = sums.texts.iter().position(|known| known == text);
        let sum = index.map_or(0.0, |index| sums.values[index] as f32 + self.sum_error);
        Ok(dense(vec![sum]))
    }
}

fn dense(vector: Embedding) -> Encoded {
    Encoded {
        dense: Some(vector),
        ..Encoded::default()
    }
}

fn bge_m3() -> Reference {
    let mut reference = Reference::of_name("bge-m3").unwrap();
    reference.similarities.clear();
    reference
}

fn is_reproduced(sum_error: f32, extra_id: bool, precision: Precision) -> bool {
    let reference = bge_m3();
    let mut model = Published {
        reference: &reference,
        sum_error,
        extra_id,
    };
    let comparisons = reference.compare(&mut model, precision).unwrap();
    assert_eq!(comparisons.len(), 106);
    comparisons.iter().all(|comparison| comparison.is_equal)
}

#[test]
fn every_file_of_published_values_can_be_read() {
    assert_eq!(Reference::all().count(), FILES.len());
}

#[test]
fn published_values_equal_themselves_and_changed_ones_do_not() {
    assert!(is_reproduced(0.0, false, Precision::Fp32));
    assert!(!is_reproduced(0.011, false, Precision::Fp32));
    assert!(is_reproduced(0.011, false, Precision::Int8));
    assert!(!is_reproduced(0.16, false, Precision::Int8));
    assert!(!is_reproduced(0.0, true, Precision::Fp32));
}

#[test]
fn a_wrong_similarity_and_a_wrong_ranking_are_found() {
    struct Plane;
    impl EmbeddingModel for Plane {
        type Error = Infallible;
        fn token_ids(&mut self, _: &str) -> Result<Vec<u32>, Infallible> {
            Ok(Vec::new())
        }
        fn outputs(&self) -> Outputs {
            Outputs::DENSE
        }
        fn encode(&mut self, text: &str, _: Outputs) -> Result<Encoded, Infallible> {
            Ok(dense(match text {
                "query" => vec![1.0, 0.0],
                "near" => vec![0.8, 0.6],
                _ => vec![0.6, 0.8],
            }))
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
            .map(|comparison| comparison.is_equal)
            .collect::<Vec<_>>()
    };
    assert_eq!(outcome([0.8, 0.6], Precision::Fp32), [true, true, true]);
    assert_eq!(outcome([0.8, 0.4], Precision::Fp32), [true, false, true]);
    assert_eq!(outcome([0.8, 0.4], Precision::Int8), [true, true, true]);
    assert_eq!(outcome([0.7, 0.71], Precision::Fp32), [true, true, false]);
}
