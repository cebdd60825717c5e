//! Calls that are larger than the queue enter it in pieces.

use futures_util::FutureExt;
use runpod_query::engine::{Call, Embedded, Engine, Error, Priority};

use super::{
    Caller, block_on, call, call_with, engine, numbered, occupy, only_the_next_call_runs, queued,
    texts,
};
use crate::support::fake::{Script, vector, wait_until};

/// Texts that fill the shared part of the queue.
const CAPACITY: usize = 8;
/// Of how many texts of one call the queue holds at most, when the call is larger than the queue.
const OF_ONE_CALL: usize = CAPACITY / 2;
const LARGE: usize = 10 * CAPACITY + 1;

fn occupied() -> (Engine, Script, Caller) {
    let (engine, script) = engine(CAPACITY, 16);
    let running = occupy(&engine, &script);
    (engine, script, running)
}

fn assert_complete(embedded: &Embedded) {
    let expected: Vec<_> = (0..LARGE).map(|number| vector(number, 1)).collect();
    assert_eq!(embedded.clone().into_dense(), expected);
    assert_eq!(embedded.tokens, LARGE);
}

#[test]
fn a_call_larger_than_the_queue_gets_its_vectors_in_the_order_of_its_texts() {
    for large in [Call::default(), Call::background()] {
        let (engine, _script) = engine(CAPACITY, 16);
        let embedded = block_on(engine.embed(numbered(0..LARGE), Priority::Bulk, large));
        assert_complete(&embedded.unwrap());
        assert_eq!(engine.status().queued_texts, 0);
    }
}

#[test]
fn a_text_that_is_larger_than_the_queue_is_a_piece_of_its_own() {
    let (engine, _script) = engine(1, 16);
    let long = "w1 ".repeat(20_000);
    let mixed = vec!["w2".to_owned(), long, "w3".to_owned()];
    let embedded = block_on(engine.embed(mixed, Priority::List, Call::default())).unwrap();
    let vectors = embedded.into_dense();
    assert_eq!(vectors[0], vector(2, 1));
    assert_eq!(vectors[2], vector(3, 1));
}

#[test]
fn few_but_long_texts_are_larger_than_the_queue_as_well() {
    let (engine, script, running) = occupied();
    let list = call(&engine, numbered(0..CAPACITY / 2), Priority::List);
    queued(&engine, CAPACITY / 2);
    // Each takes the room of two short texts, so it is a piece.
    let long = (0..CAPACITY).map(|number| format!("w{number} {}", "w1 ".repeat(7_000)));
    let large = call(&engine, long.collect(), Priority::Bulk);
    queued(&engine, CAPACITY / 2 + 2);
    script.release();
    assert_eq!(large.join().unwrap().unwrap().texts.len(), CAPACITY);
    for caller in [list, running] {
        caller.join().unwrap().unwrap();
    }
}

#[test]
fn a_call_larger_than_the_queue_leaves_room_to_others() {
    let (engine, script, running) = occupied();
    let large = call(&engine, numbered(0..LARGE), Priority::Bulk);
    queued(&engine, OF_ONE_CALL);
    let list = call(&engine, numbered(0..CAPACITY - OF_ONE_CALL), Priority::List);
    queued(&engine, CAPACITY);
    script.release();
    list.join().unwrap().unwrap();
    assert_complete(&large.join().unwrap().unwrap());
    running.join().unwrap().unwrap();
}

#[test]
fn large_calls_take_turns_and_a_query_has_room_beside_them() {
    let (engine, script, running) = occupied();
    let large = [(); 2].map(|()| call(&engine, numbered(0..LARGE), Priority::Bulk));
    queued(&engine, CAPACITY);
    let query = call(&engine, texts(&["w1 w2"]), Priority::Interactive);
    queued(&engine, CAPACITY + 1);
    script.release();
    assert_eq!(query.join().unwrap().unwrap().into_dense(), [vector(1, 2)]);
    for caller in large {
        assert_complete(&caller.join().unwrap().unwrap());
    }
    running.join().unwrap().unwrap();
    assert_eq!(script.batches()[1], [2]);
}

#[test]
fn a_large_call_is_rejected_immediately_if_the_queue_is_full_of_others_texts() {
    let (engine, script, running) = occupied();
    let list = call(&engine, numbered(0..CAPACITY), Priority::Bulk);
    queued(&engine, CAPACITY);
    let refused = engine
        .embed(numbered(0..LARGE), Priority::Bulk, Call::default())
        .now_or_never();
    assert!(
        matches!(refused, Some(Err(Error::Overloaded { .. }))),
        "{refused:?}"
    );
    script.release();
    for caller in [list, running] {
        caller.join().unwrap().unwrap();
    }
}

#[test]
fn nothing_of_a_large_call_runs_once_it_is_cancelled_or_dropped() {
    let (engine, script, running) = occupied();
    let cancelled = Call::default();
    let large = numbered(0..LARGE);
    let caller = call_with(&engine, large.clone(), Priority::Bulk, cancelled.clone());
    queued(&engine, OF_ONE_CALL);
    cancelled.cancel();
    assert_eq!(engine.status().queued_texts, 0);
    let dropped = engine.embed(large, Priority::Bulk, Call::default());
    assert!(dropped.now_or_never().is_none());
    only_the_next_call_runs(&engine, &script, running, caller);
}

#[test]
fn an_error_of_one_piece_ends_the_whole_call() {
    let (engine, script) = engine(CAPACITY, 16);
    let mut large = numbered(0..LARGE);
    large[0] = crate::support::fake::FAIL.to_owned();
    assert!(block_on(engine.embed(large, Priority::Bulk, Call::default())).is_err());
    wait_until("the queue to be empty", || {
        engine.status().queued_texts == 0 && engine.status().running_texts == 0
    });
    assert!(script.batches().concat().len() < LARGE);
}
