//! The texts of the load, and their vectors.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::golden;
use crate::support::program::Served;

/// Longer texts would take the processor away from everything else.
const LONGEST_BYTES: usize = 400;

/// Texts and vectors; a number beyond their end begins again. Clones share them.
#[derive(Clone)]
pub struct Texts(Arc<Vec<(&'static str, Value)>>);

impl Texts {
    /// The texts of the golden files, with the vectors that the server gives to each alone.
    pub fn embedded_by(served: &Served) -> Self {
        let texts = golden::texts().iter().map(|text| text.text.as_str());
        let short = texts.filter(|text| text.len() <= LONGEST_BYTES);
        let embedded = short.map(|text| {
            let mut answer = served.run(&json!({"query": text}));
            let vector = answer["output"]["embedding"].take();
            assert!(vector.is_array(), "{answer}");
            (text, vector)
        });
        Self(Arc::new(embedded.collect()))
    }

    pub fn text(&self, number: usize) -> &'static str {
        self.0[number % self.0.len()].0
    }

    /// The vector of a text as JSON: it is the same to the bit whatever it was computed with.
    pub fn vector(&self, number: usize) -> &Value {
        &self.0[number % self.0.len()].1
    }
}
