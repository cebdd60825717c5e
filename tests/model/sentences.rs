//! The sentences with which an export compares precisions.

use model::Precision;

use crate::support::golden::path;
use crate::support::models::{Model, checkpoint};

/// Sentences of one batch; each has fewer than 32 tokens.
const SENTENCES_AT_ONCE: usize = 16;

fn sentences() -> Vec<String> {
    let file = std::fs::read_to_string(path("../crates/model/src/export/sentences.txt")).unwrap();
    file.lines().map(str::to_owned).collect()
}

/// minilm's vectors of all sentences in a precision.
pub fn sentence_vectors(precision: Precision) -> Vec<Vec<f32>> {
    let mut model = Model::export_in(&checkpoint("minilm"), "minilm", precision);
    let sentences = sentences();
    let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
    let batches = sentences.chunks(SENTENCES_AT_ONCE);
    batches.flat_map(|batch| model.encode(batch)).collect()
}
