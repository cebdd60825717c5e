//! Who may wait, and where: queries, lists, and calls in the background.

use futures_util::FutureExt;
use runpod_query::engine::{Call, Engine, Error, Priority};

use super::{Caller, block_on, call, call_with, engine, numbered, occupy, queued, texts};
use crate::support::fake::{Script, wait_until};

/// Texts that fill the shared part of the queue.
const CAPACITY: usize = 8;

fn in_background(engine: &Engine, texts: Vec<String>) -> Caller {
    call_with(engine, texts, Priority::Bulk, Call::background())
}

/// An engine whose encoder is occupied, and the call that occupies it.
fn occupied() -> (Engine, Script, Caller) {
    let (engine, script) = engine(CAPACITY, 16);
    let running = occupy(&engine, &script);
    (engine, script, running)
}

#[test]
fn a_query_has_room_beside_lists_that_fill_the_queue() {
    let (engine, script, running) = occupied();
    let lists = [Priority::List, Priority::Bulk]
        .map(|priority| call(&engine, numbered(0..CAPACITY / 2), priority));
    queued(&engine, CAPACITY);
    let list = engine.embed(numbered(0..2), Priority::List, Call::default());
    assert!(matches!(block_on(list), Err(Error::Overloaded { .. })));
    let query = call(&engine, texts(&["w1 w2"]), Priority::Interactive);
    queued(&engine, CAPACITY + 1);
    script.release();
    for caller in lists.into_iter().chain([query, running]) {
        caller.join().unwrap().unwrap();
    }
}

#[test]
fn a_long_text_takes_more_room_than_a_short_one() {
    // The second is larger than the whole queue.
    for words in [40_000, 100_000] {
        let (engine, script, running) = occupied();
        let long = call(&engine, vec!["w1 ".repeat(words)], Priority::Interactive);
        queued(&engine, 1);
        let refused = engine
            .embed(numbered(0..2), Priority::List, Call::default())
            .now_or_never();
        assert!(
            matches!(refused, Some(Err(Error::Overloaded { .. }))),
            "{words}: {refused:?}"
        );
        script.release();
        for caller in [long, running] {
            caller.join().unwrap().unwrap();
        }
    }
}

#[test]
fn calls_in_the_background_wait_for_room_and_take_none_of_the_others() {
    let (engine, script, running) = occupied();
    let background = [(); 3].map(|()| in_background(&engine, numbered(0..CAPACITY)));
    queued(&engine, CAPACITY);
    wait_until("the others to wait for room", || {
        engine.status().queued_calls == 3
    });
    let list = call(&engine, numbered(0..CAPACITY), Priority::List);
    queued(&engine, 2 * CAPACITY);
    script.release();
    for caller in background.into_iter().chain([list, running]) {
        caller.join().unwrap().unwrap();
    }
    assert_eq!(engine.status().queued_calls, 0);
}

#[test]
fn texts_keep_their_room_until_they_are_split_although_their_caller_has_gone() {
    let (engine, _script) = engine(CAPACITY, 16);
    // Its only thread for blocking work is occupied, so nothing is split on it.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || gate.recv());
    let list = || {
        let mut texts = numbered(1..CAPACITY);
        texts.push("w1 ".repeat(2000));
        engine.embed(texts, Priority::Bulk, Call::default())
    };
    runtime.block_on(async {
        assert!(list().now_or_never().is_none());
        let refused = list().now_or_never();
        assert!(
            matches!(refused, Some(Err(Error::Overloaded { .. }))),
            "{refused:?}"
        );
    });
    release.send(()).unwrap();
    wait_until("the room to be free", || runtime.block_on(list()).is_ok());
}
