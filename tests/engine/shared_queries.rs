//! Equal queries that are asked at the same time are computed once, and none depends on what becomes of another's caller.

use std::thread::JoinHandle;
use std::time::Duration;

use runpod_query::engine::{Call, Engine, Error, Priority, Task};
use tokio::sync::oneshot;

use super::{
    CACHE_BYTES, Caller, block_on, caching_engine, call, call_with, metric, numbered, occupy,
    queued, texts,
};
use crate::support::fake::{FAIL, Script, WAIT, vector, wait_until};

const CALLERS: usize = 16;

fn occupied() -> (Engine, Script, Caller) {
    let (engine, script) = caching_engine(64, CACHE_BYTES);
    let running = occupy(&engine, &script);
    (engine, script, running)
}

fn query(engine: &Engine, text: &str) -> Caller {
    call(engine, texts(&[text]), Priority::Interactive)
}

/// Waits until so many queries share the computation of others.
fn shared(engine: &Engine, queries: u64) {
    wait_until(&format!("{queries} shared queries"), || {
        metric(engine, "cache_shared_total") == queries
    });
}

fn assert_vector(caller: Caller, expected: &[f32]) {
    assert_eq!(caller.join().unwrap().unwrap().into_dense(), [expected]);
}

#[test]
fn equal_queries_at_the_same_time_run_once() {
    let (engine, script, running) = occupied();
    let callers = [(); CALLERS].map(|()| query(&engine, "w1 w2"));
    shared(&engine, CALLERS as u64 - 1);
    assert_eq!(engine.status().queued_texts, 1);
    assert_eq!(engine.status().queued_calls, CALLERS);
    script.release();
    for caller in callers {
        let embedded = caller.join().unwrap().unwrap();
        assert!(embedded.waited > Duration::ZERO);
        assert_eq!(embedded.tokens, 2);
        assert_eq!(embedded.into_dense(), [vector(1, 2)]);
    }
    running.join().unwrap().unwrap();
    assert_eq!(script.batches(), [[1], [2]]);
}

#[test]
fn a_query_shares_what_runs_already_and_starts_with_it() {
    let (engine, script, running) = occupied();
    let late = Call::default();
    let caller = call_with(&engine, texts(&[WAIT]), Priority::Interactive, late.clone());
    shared(&engine, 1);
    wait_until("the start", || late.started().is_some());
    script.release();
    let first = running.join().unwrap().unwrap().into_dense();
    assert_vector(caller, &first[0]);
    assert_eq!(script.batches(), [[1]]);
}

#[test]
fn the_first_caller_may_cancel_without_harm_to_those_who_share_its_query() {
    let (engine, script, running) = occupied();
    let first = Call::default();
    let cancelled = call_with(
        &engine,
        texts(&["w1 w2"]),
        Priority::Interactive,
        first.clone(),
    );
    queued(&engine, 1);
    let other = query(&engine, "w1 w2");
    shared(&engine, 1);
    assert!(first.cancel_unless_started());
    assert_eq!(engine.status().queued_texts, 1);
    assert_eq!(engine.status().queued_calls, 1);
    script.release();
    assert_vector(other, &vector(1, 2));
    // Its caller is told that it was cancelled, or gets what was computed for the other.
    let _ = cancelled.join().unwrap();
    assert_eq!(first.started(), None);
    running.join().unwrap().unwrap();
    assert_eq!(script.batches(), [[1], [2]]);
}

/// A client that disconnects when it is told to.
struct Leaver {
    leave: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Leaver {
    fn ask(engine: &Engine, text: &str) -> Self {
        let (leave, left) = oneshot::channel();
        let (engine, texts) = (engine.clone(), texts(&[text]));
        let thread = std::thread::spawn(move || {
            block_on(async {
                let call = engine.embed(texts, Priority::Interactive, Call::default());
                tokio::select! {
                    _ = call => panic!("it was answered before it left"),
                    _ = left => {}
                }
            });
        });
        Self { leave, thread }
    }

    /// Returns when the call is dropped.
    fn leave(self) {
        self.leave.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

#[test]
fn the_first_caller_may_disconnect_while_its_query_waits_or_runs() {
    for is_running in [false, true] {
        let (engine, script) = caching_engine(64, CACHE_BYTES);
        let text = format!("{WAIT} w1");
        let running = (!is_running).then(|| occupy(&engine, &script));
        let first = Leaver::ask(&engine, &text);
        match is_running {
            true => script.wait_for_batches(1),
            false => queued(&engine, 1),
        }
        let other = query(&engine, &text);
        shared(&engine, 1);
        first.leave();
        // Each of the batches waits.
        script.release();
        if let Some(running) = running {
            running.join().unwrap().unwrap();
            script.release();
        }
        assert_eq!(other.join().unwrap().unwrap().tokens, 2);
        let runs = script
            .batches()
            .into_iter()
            .filter(|batch| batch[..] == [2]);
        assert_eq!(runs.count(), 1, "{is_running}");
    }
}

#[test]
fn a_query_that_all_callers_have_left_does_not_run() {
    let (engine, script, running) = occupied();
    let callers = [(); 2].map(|()| Leaver::ask(&engine, "w1 w2"));
    shared(&engine, 1);
    callers.into_iter().for_each(Leaver::leave);
    assert_eq!(engine.status().queued_texts, 0);
    script.release();
    running.join().unwrap().unwrap();
    // It can be asked anew.
    assert_vector(query(&engine, "w1 w2"), &vector(1, 2));
    assert_eq!(script.batches(), [[1], [2]]);
}

#[test]
fn every_caller_of_a_query_that_fails_gets_its_error() {
    let (engine, script, running) = occupied();
    let callers = [(); CALLERS].map(|()| query(&engine, FAIL));
    shared(&engine, CALLERS as u64 - 1);
    script.release();
    for caller in callers {
        let outcome = caller.join().unwrap();
        assert!(matches!(outcome, Err(Error::Model(_))), "{outcome:?}");
    }
    running.join().unwrap().unwrap();
    assert_eq!(
        metric(&engine, "cache_texts"),
        1,
        "only the one that ran before"
    );
}

#[test]
fn a_query_that_shares_another_needs_no_room_in_a_full_queue() {
    let (engine, script) = caching_engine(4, CACHE_BYTES);
    let running = occupy(&engine, &script);
    let bulk = call(&engine, numbered(10..14), Priority::Bulk);
    queued(&engine, 4);
    let first = query(&engine, "w1 w2");
    queued(&engine, 5);
    let same = query(&engine, "w1 w2");
    shared(&engine, 1);
    let other = query(&engine, "w3").join().unwrap();
    assert!(matches!(other, Err(Error::Overloaded { .. })), "{other:?}");
    script.release();
    assert_vector(first, &vector(1, 2));
    assert_vector(same, &vector(1, 2));
    for caller in [running, bulk] {
        caller.join().unwrap().unwrap();
    }
}

#[test]
fn a_query_does_not_wait_for_the_turn_of_a_list_that_has_it_too() {
    let (engine, script) = caching_engine(2048, CACHE_BYTES);
    let running = occupy(&engine, &script);
    let list = call(&engine, numbered(0..1500), Priority::List);
    queued(&engine, 1500);
    let single = query(&engine, "w1499");
    queued(&engine, 1501);
    script.release();
    assert_vector(single, &vector(1499, 1));
    list.join().unwrap().unwrap();
    running.join().unwrap().unwrap();
    // At most one batch of the list is before it.
    assert!(script.batches()[1..3].contains(&vec![1]));
}

#[test]
fn lists_share_what_they_have_in_common() {
    let (engine, script, running) = occupied();
    let alone = query(&engine, "w5");
    queued(&engine, 1);
    let first = call(&engine, numbered(0..10), Priority::List);
    queued(&engine, 10);
    let second = call(&engine, numbered(3..13), Priority::List);
    queued(&engine, 13);
    assert_eq!(metric(&engine, "cache_shared_total"), 1 + 7);
    script.release();
    assert_vector(alone, &vector(5, 1));
    for (caller, numbers) in [(first, 0..10), (second, 3..13)] {
        let expected: Vec<_> = numbers.map(|number| vector(number, 1)).collect();
        assert_eq!(caller.join().unwrap().unwrap().into_dense(), expected);
    }
    running.join().unwrap().unwrap();
    assert_eq!(script.batches().concat().len(), 1 + 13);
}

#[test]
fn a_list_that_fails_does_not_fail_a_list_that_shares_another_text_of_it() {
    let (engine, script, running) = occupied();
    let failing = call(&engine, texts(&[FAIL, "w1 w2"]), Priority::List);
    queued(&engine, 2);
    let healthy = call(&engine, texts(&["w1 w2", "w3"]), Priority::List);
    shared(&engine, 1);
    script.release();
    assert!(failing.join().unwrap().is_err());
    assert_eq!(
        healthy.join().unwrap().unwrap().into_dense(),
        [vector(1, 2), vector(3, 1)]
    );
    running.join().unwrap().unwrap();
}

#[test]
fn a_limit_of_one_caller_is_not_the_limit_of_another() {
    let (engine, script, running) = occupied();
    let limited = Task {
        most_tokens: 2,
        ..texts(&["w1 w2 w3"]).into()
    };
    let refused = block_on(engine.embed(limited.clone(), Priority::Interactive, Call::default()));
    assert!(matches!(refused, Err(Error::TooManyTokens { .. })));
    let first = query(&engine, "w1 w2 w3");
    queued(&engine, 1);
    let second = std::thread::spawn({
        let engine = engine.clone();
        move || block_on(engine.embed(limited, Priority::Interactive, Call::default()))
    });
    shared(&engine, 1);
    script.release();
    assert_vector(first, &vector(1, 3));
    assert!(matches!(
        second.join().unwrap(),
        Err(Error::TooManyTokens { tokens: 3 })
    ));
    running.join().unwrap().unwrap();
}
