//! What the engine promises its callers, with an encoder that does what its texts say.

mod admission;
mod batches;
mod equal_texts;
mod isolation;
mod pieces;
mod query_cache;
mod shared_queries;

use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::future::{join, join_all};
use runpod_query::config;
use runpod_query::engine::{Call, Embedded, Engine, Error, Priority};
use runpod_query::metrics::Metrics;

use crate::support::fake::{FAIL, PANIC, Script, WAIT, fake, tokenizer, vector, wait_until};

fn settings(queue_texts: usize, batch_tokens: usize) -> config::Engine {
    config::Engine {
        queue_texts: NonZeroUsize::new(queue_texts).unwrap(),
        batch_tokens: NonZeroUsize::new(batch_tokens).unwrap(),
        cache_bytes: 0,
        threads: None,
    }
}

fn engine(queue_texts: usize, batch_tokens: usize) -> (Engine, Script) {
    let (encoder, script) = fake();
    let engine = Engine::spawn(encoder, tokenizer(), &settings(queue_texts, batch_tokens)).unwrap();
    (engine, script)
}

/// Bytes that hold all queries of a test.
const CACHE_BYTES: usize = 1_000_000;

/// An engine that keeps the outputs of queries.
fn caching_engine(queue_texts: usize, cache_bytes: usize) -> (Engine, Script) {
    let settings = config::Engine {
        cache_bytes,
        ..settings(queue_texts, 512)
    };
    let (encoder, script) = fake();
    let engine = Engine::spawn(encoder, tokenizer(), &settings).unwrap();
    (engine, script)
}

/// The value of a metric of the engine.
fn metric(engine: &Engine, name: &str) -> u64 {
    let text = Metrics::default().text(engine.metrics()).unwrap();
    let name = format!("runpod_query_{name} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_else(|| panic!("{name}: {text}"))
        .parse()
        .unwrap()
}

/// A client on a thread of its own.
type Caller = std::thread::JoinHandle<Result<Embedded, Error>>;

/// Runs one call as another client would.
fn call(engine: &Engine, texts: Vec<String>, priority: Priority) -> Caller {
    call_with(engine, texts, priority, Call::default())
}

fn call_with(engine: &Engine, texts: Vec<String>, priority: Priority, call: Call) -> Caller {
    let engine = engine.clone();
    std::thread::spawn(move || block_on(engine.embed(texts, priority, call)))
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn numbered(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("w{number}")).collect()
}

/// Occupies the encoder until the script releases it.
fn occupy(engine: &Engine, script: &Script) -> Caller {
    let before = script.batches().len();
    let running = call(engine, texts(&[WAIT]), Priority::Interactive);
    script.wait_for_batches(before + 1);
    running
}

fn queued(engine: &Engine, texts: usize) {
    wait_until(&format!("{texts} queued texts"), || {
        engine.status().queued_texts == texts
    });
}

#[tokio::test]
async fn vectors_come_in_the_order_of_their_texts() {
    let (engine, _script) = engine(1024, 16);
    let mixed: Vec<String> = (0..300)
        .map(|number| format!("w{number}{}", " w1".repeat(number % 7)))
        .collect();
    let embedded = engine
        .embed(mixed, Priority::Bulk, Call::default())
        .await
        .unwrap();
    let expected: Vec<_> = (0..300)
        .map(|number| vector(number, 1 + number % 7))
        .collect();
    assert_eq!(embedded.clone().into_dense(), expected);
    assert_eq!(
        embedded.tokens,
        (0..300).map(|number| 1 + number % 7).sum::<usize>()
    );
}

#[tokio::test]
async fn long_texts_take_the_same_way_over_another_thread() {
    let (engine, script) = engine(8, 16);
    let long = vec![format!("w7{}", " w1".repeat(3000)), "w8".to_owned()];
    let embedded = engine
        .embed(long, Priority::Interactive, Call::default())
        .await
        .unwrap();
    assert_eq!(embedded.into_dense(), [vector(7, 3001), vector(8, 1)]);
    assert_eq!(script.batches(), [[1], [3001]]);
}

#[tokio::test]
async fn a_call_without_texts_has_no_vectors() {
    let (engine, script) = engine(8, 16);
    let embedded = engine
        .embed(Vec::new(), Priority::Bulk, Call::default())
        .await
        .unwrap();
    assert!(embedded.texts.is_empty());
    assert!(script.batches().is_empty());
}

#[test]
fn texts_that_arrive_during_a_batch_form_the_next_one() {
    let (engine, script) = engine(1024, 512);
    let running = occupy(&engine, &script);
    let waiting: Vec<_> = (0..20)
        .map(|number| call(&engine, vec![format!("w{number}")], Priority::Interactive))
        .collect();
    queued(&engine, 20);
    assert_eq!(engine.status().queued_calls, 20);
    assert_eq!(engine.status().running_texts, 1);
    script.release();
    for (number, caller) in waiting.into_iter().enumerate() {
        let embedded = caller.join().unwrap().unwrap();
        assert_eq!(embedded.clone().into_dense(), [vector(number, 1)]);
        assert!(embedded.waited > Duration::ZERO);
    }
    running.join().unwrap().unwrap();
    assert_eq!(script.batches(), [vec![1], vec![1; 20]]);
}

#[test]
fn a_query_is_answered_before_the_bulk_call_that_came_first() {
    let (engine, script) = engine(1024, 16);
    let running = occupy(&engine, &script);
    let bulk = call(&engine, numbered(0..500), Priority::Bulk);
    queued(&engine, 500);
    let query = call(&engine, texts(&["w1 w2"]), Priority::Interactive);
    queued(&engine, 501);
    script.release();
    query.join().unwrap().unwrap();
    bulk.join().unwrap().unwrap();
    running.join().unwrap().unwrap();
    assert_eq!(script.batches()[1], [2]);
}

#[test]
fn a_full_queue_rejects_the_whole_call_immediately_with_a_retry_hint() {
    let (engine, script) = engine(10, 512);
    let running = occupy(&engine, &script);
    let waiting = call(&engine, numbered(0..8), Priority::Bulk);
    queued(&engine, 8);
    let refused =
        block_on(engine.embed(numbered(0..3), Priority::Interactive, Call::default())).unwrap_err();
    assert!(
        matches!(refused, Error::Overloaded { retry_after } if retry_after >= Duration::from_secs(1)),
        "{refused:?}"
    );
    assert_eq!(engine.status().queued_texts, 8);
    let fitting = call(&engine, numbered(0..2), Priority::Interactive);
    queued(&engine, 10);
    script.release();
    for caller in [running, waiting, fitting] {
        caller.join().unwrap().unwrap();
    }
}

#[test]
fn a_dropped_call_is_not_encoded_and_frees_its_room() {
    let (engine, script) = engine(10, 512);
    let running = occupy(&engine, &script);
    block_on(async {
        let gone = engine.embed(numbered(0..10), Priority::Interactive, Call::default());
        assert!(
            tokio::time::timeout(Duration::from_millis(20), gone)
                .await
                .is_err()
        );
    });
    let next = call(&engine, texts(&["w1 w2 w3"]), Priority::Interactive);
    queued(&engine, 1);
    script.release();
    next.join().unwrap().unwrap();
    running.join().unwrap().unwrap();
    assert_eq!(script.batches(), [[1], [3]]);
}

#[test]
fn a_failed_batch_fails_only_its_own_callers() {
    let (engine, script) = engine(1024, 4);
    let running = occupy(&engine, &script);
    // Lengths keep the two calls' texts in separate batches; the failing text goes first.
    let failing = call(
        &engine,
        texts(&[FAIL, "w1 w2 w3 w4", "w5 w6 w7 w8"]),
        Priority::Interactive,
    );
    queued(&engine, 3);
    let healthy = call(&engine, texts(&["w9 w9 w9 w9"]), Priority::Interactive);
    queued(&engine, 4);
    script.release();
    let error = failing.join().unwrap().unwrap_err();
    assert!(matches!(error, Error::Model(_)), "{error:?}");
    assert_eq!(
        healthy.join().unwrap().unwrap().into_dense(),
        [vector(9, 4)]
    );
    running.join().unwrap().unwrap();
    assert_eq!(engine.status().queued_texts, 0);
}

#[tokio::test]
async fn the_engine_serves_on_after_a_panic_of_the_encoder() {
    let (engine, _script) = engine(8, 16);
    let error = engine
        .embed(texts(&[PANIC]), Priority::Interactive, Call::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("as the text says"), "{error}");
    let embedded = engine
        .embed(texts(&["w3"]), Priority::Interactive, Call::default())
        .await
        .unwrap();
    assert_eq!(embedded.into_dense(), [vector(3, 1)]);
}

#[tokio::test]
async fn concurrent_callers_each_get_their_own_vectors() {
    let (engine, _script) = engine(1024, 64);
    let callers = (0..400_usize).map(|number| {
        let text = format!("w{number}{}", " w0".repeat(number % 13));
        let priority = [Priority::Interactive, Priority::Bulk][number % 2];
        engine.embed(vec![text], priority, Call::default())
    });
    for (number, outcome) in join_all(callers).await.into_iter().enumerate() {
        assert_eq!(
            outcome.unwrap().into_dense(),
            [vector(number, 1 + number % 13)]
        );
    }
}

#[tokio::test]
async fn calls_of_one_task_run_side_by_side() {
    let (engine, script) = engine(8, 16);
    let (first, second) = join(
        engine.embed(texts(&["w1"]), Priority::Interactive, Call::default()),
        engine.embed(texts(&["w2"]), Priority::Interactive, Call::default()),
    )
    .await;
    assert!(first.is_ok() && second.is_ok());
    assert!(script.batches().len() <= 2);
}

#[test]
fn a_cancelled_call_leaves_the_queue_before_the_next_batch_although_its_caller_still_waits() {
    let (engine, script) = engine(10, 512);
    let running = occupy(&engine, &script);
    let cancelled = Call::default();
    let caller = std::thread::spawn({
        let (engine, call) = (engine.clone(), cancelled.clone());
        move || block_on(engine.embed(numbered(0..10), Priority::Interactive, call))
    });
    queued(&engine, 10);
    assert!(cancelled.cancel_unless_started());
    assert_eq!(engine.status().queued_texts, 0);
    only_the_next_call_runs(&engine, &script, running, caller);
}

/// Ends the batch that occupies the encoder: a cancelled call gets its error, and none of its texts runs before or with the
/// next call's.
fn only_the_next_call_runs(engine: &Engine, script: &Script, running: Caller, cancelled: Caller) {
    let next = call(engine, texts(&["w1 w2 w3"]), Priority::Interactive);
    queued(engine, 1);
    script.release();
    assert!(matches!(cancelled.join().unwrap(), Err(Error::Stopped)));
    next.join().unwrap().unwrap();
    running.join().unwrap().unwrap();
    assert_eq!(script.batches(), [[1], [3]]);
}
