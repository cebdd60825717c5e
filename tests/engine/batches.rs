//! Which texts share a batch: those that the encoder computes at the same cost as alone.

use model::BatchLayout;
use runpod_query::engine::{Engine, Priority};

use super::{call, occupy, queued, settings};
use crate::support::fake::{fake_with, tokenizer};

/// The batches in which one long text and many short ones of a call run.
fn batches_of_mixed_texts(layout: BatchLayout) -> Vec<Vec<usize>> {
    let (encoder, script) = fake_with(layout);
    let engine = Engine::spawn(encoder, tokenizer(), &settings(64, 512)).unwrap();
    let running = occupy(&engine, &script);
    let mut texts = vec!["w1 ".repeat(400)];
    texts.extend((0..20).map(|number| format!("w{number} w2 w3 w4")));
    let mixed = call(&engine, texts, Priority::Bulk);
    queued(&engine, 21);
    script.release();
    mixed.join().unwrap().unwrap();
    running.join().unwrap().unwrap();
    script.batches()[1..].to_vec()
}

#[test]
fn long_and_short_texts_share_a_batch_where_nothing_is_padded() {
    let mut together = vec![4; 20];
    together.push(400);
    assert_eq!(
        batches_of_mixed_texts(BatchLayout::Concatenated),
        [together]
    );
}

#[test]
fn long_and_short_texts_run_apart_where_they_would_be_padded() {
    assert_eq!(
        batches_of_mixed_texts(BatchLayout::Padded),
        [vec![400], vec![4; 20]]
    );
}
