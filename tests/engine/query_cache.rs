//! The outputs of queries are kept within a limit of memory, and nothing else is.

use std::sync::Arc;

use model::{Output, Outputs};
use runpod_query::engine::{Call, Embedded, Engine, Error, Priority, Task, WrittenVectors};
use serde_json::value::to_raw_value;

use super::{CACHE_BYTES, block_on, caching_engine, call, metric, numbered, occupy, queued, texts};
use crate::support::fake::{FAIL, NO_VECTOR, PANIC, vector};

fn ask(engine: &Engine, task: impl Into<Task>, priority: Priority) -> Result<Embedded, Error> {
    block_on(engine.embed(task, priority, Call::default()))
}

fn query(engine: &Engine, text: &str) -> Embedded {
    ask(engine, texts(&[text]), Priority::Interactive).unwrap()
}

fn of(text: &str, outputs: &[Output]) -> Task {
    Task {
        outputs: outputs.iter().copied().collect::<Outputs>(),
        ..Task::from(texts(&[text]))
    }
}

#[test]
fn a_query_that_is_asked_again_has_the_same_answer_and_does_not_run_again() {
    let (engine, script) = caching_engine(64, CACHE_BYTES);
    let first = query(&engine, "w1 w2");
    let second = query(&engine, "w1 w2");
    assert_eq!(second.tokens, 2);
    assert_eq!(second.texts[0].encoded, first.texts[0].encoded);
    assert!(second.waited.is_zero());
    assert_eq!(script.batches(), [[2]]);
    for (name, expected) in [
        ("cache_hits_total", 1),
        ("cache_misses_total", 1),
        ("cache_shared_total", 0),
        ("cache_evictions_total", 0),
        ("cache_texts", 1),
    ] {
        assert_eq!(metric(&engine, name), expected, "{name}");
    }
}

#[test]
fn texts_that_differ_in_anything_are_different_queries() {
    let (engine, script) = caching_engine(64, CACHE_BYTES);
    for text in ["w1", "w1 ", " w1", "W1", "w2"] {
        query(&engine, text);
    }
    assert_eq!(script.batches().len(), 5);
}

#[test]
fn different_outputs_of_a_text_are_kept_apart() {
    let (engine, script) = caching_engine(64, CACHE_BYTES);
    let wanted: [&[Output]; 3] = [
        &[Output::Dense],
        &[Output::Sparse, Output::Dense],
        &[Output::Colbert],
    ];
    for repetition in 0..2 {
        for outputs in wanted {
            let embedded = ask(&engine, of("w1 w2 w3", outputs), Priority::Interactive).unwrap();
            let encoded = &embedded.texts[0].encoded;
            for (output, is_there) in [
                (Output::Dense, encoded.dense.is_some()),
                (Output::Sparse, encoded.sparse.is_some()),
                (Output::Colbert, encoded.colbert.is_some()),
            ] {
                assert_eq!(outputs.contains(&output), is_there, "{repetition}");
            }
        }
    }
    assert_eq!(script.batches().len(), wanted.len());
}

#[test]
fn a_list_runs_only_the_queries_that_are_not_kept_and_keeps_them() {
    let (engine, script) = caching_engine(64, CACHE_BYTES);
    query(&engine, "w1 w1");
    let list = texts(&["w0", "w1 w1", "w2 w2 w2", "w1 w1"]);
    let expected = [vector(0, 1), vector(1, 2), vector(2, 3), vector(1, 2)];
    for _ in 0..2 {
        let embedded = ask(&engine, list.clone(), Priority::List).unwrap();
        assert_eq!(embedded.tokens, 8);
        assert_eq!(embedded.into_dense(), expected);
    }
    query(&engine, "w0");
    assert_eq!(script.batches(), [vec![2], vec![1, 3]]);
    assert_eq!(metric(&engine, "cache_hits_total"), 1 + 3 + 1);
}

#[test]
fn bulk_texts_neither_enter_the_cache_nor_come_from_it() {
    let (engine, script) = caching_engine(64, CACHE_BYTES);
    query(&engine, "w1");
    for _ in 0..2 {
        ask(&engine, texts(&["w1"]), Priority::Bulk).unwrap();
        ask(&engine, texts(&["w2"]), Priority::Bulk).unwrap();
    }
    query(&engine, "w2");
    assert_eq!(script.batches().len(), 6);
    assert_eq!(metric(&engine, "cache_hits_total"), 0);
    assert_eq!(metric(&engine, "cache_misses_total"), 2);
    assert_eq!(metric(&engine, "cache_texts"), 2);
}

#[test]
fn an_error_is_not_kept() {
    for harmful in [FAIL, PANIC, NO_VECTOR] {
        let (engine, script) = caching_engine(64, CACHE_BYTES);
        for _ in 0..2 {
            assert!(ask(&engine, texts(&[harmful]), Priority::Interactive).is_err());
        }
        assert_eq!(script.batches().len(), 2, "{harmful}");
        assert_eq!(metric(&engine, "cache_texts"), 0);
    }
}

#[test]
fn a_kept_query_needs_no_room_in_a_full_queue() {
    let (engine, script) = caching_engine(4, CACHE_BYTES);
    query(&engine, "w1 w2");
    let running = occupy(&engine, &script);
    let waiting = call(&engine, numbered(10..14), Priority::Bulk);
    queued(&engine, 4);
    // The part of the room that is for queries alone.
    let last = call(&engine, texts(&["w9"]), Priority::Interactive);
    queued(&engine, 5);
    assert_eq!(query(&engine, "w1 w2").into_dense(), [vector(1, 2)]);
    let refused = ask(&engine, texts(&["w3"]), Priority::Interactive);
    assert!(
        matches!(refused, Err(Error::Overloaded { .. })),
        "{refused:?}"
    );
    script.release();
    for caller in [running, waiting, last] {
        caller.join().unwrap().unwrap();
    }
}

#[test]
fn the_tokens_of_kept_queries_count_against_the_limit_of_a_call() {
    let (engine, _script) = caching_engine(64, CACHE_BYTES);
    query(&engine, "w1 w2 w3");
    let task = Task {
        most_tokens: 2,
        ..Task::from(texts(&["w1 w2 w3"]))
    };
    let refused = ask(&engine, task, Priority::Interactive);
    assert!(
        matches!(refused, Err(Error::TooManyTokens { tokens: 3 })),
        "{refused:?}"
    );
}

#[test]
fn the_cache_stays_within_its_bytes_and_drops_what_is_asked_least() {
    const LIMIT: usize = 20_000;
    let (engine, script) = caching_engine(64, LIMIT);
    for number in 0..500 {
        query(&engine, "w1999 w1999");
        query(&engine, &format!("w{number}"));
        let bytes = metric(&engine, "cache_bytes");
        assert!(bytes <= LIMIT as u64, "{bytes}");
    }
    let kept = metric(&engine, "cache_texts");
    assert!((10..100).contains(&kept), "{kept}");
    assert_eq!(metric(&engine, "cache_evictions_total"), 501 - kept);
    // What is asked again and again has stayed.
    let often = script
        .batches()
        .into_iter()
        .filter(|batch| batch[..] == [2]);
    assert_eq!(often.count(), 1);
}

#[test]
fn an_entry_is_counted_with_its_text_and_its_outputs() {
    let bytes_of = |tasks: Vec<Task>| {
        let (engine, _script) = caching_engine(64, 10_000_000);
        for task in tasks {
            ask(&engine, task, Priority::Interactive).unwrap();
        }
        metric(&engine, "cache_bytes")
    };
    let dense = |text: &str| of(text, &[Output::Dense]);
    let one = bytes_of(vec![dense("w1")]);
    assert!(one >= 256, "{one}");
    let long = bytes_of(vec![dense(&format!("w1{}", " ".repeat(100_000)))]);
    assert_eq!(long, one + 100_000);
    let all = [Output::Dense, Output::Sparse, Output::Colbert];
    let rich = bytes_of(vec![of("w1 w2", &all)]);
    // Three more bytes of text, two weights, one row of four floats.
    assert_eq!(rich, one + 3 + 2 * 8 + 16);
}

#[test]
fn written_vectors_are_kept_with_their_outputs_and_counted() {
    let (engine, _script) = caching_engine(64, CACHE_BYTES);
    let embedded = query(&engine, "w1");
    let before = metric(&engine, "cache_bytes");
    let json = to_raw_value(&embedded.texts[0].encoded.dense).unwrap();
    let length = json.get().len() as u64;
    let written = || WrittenVectors {
        dense: Some(Arc::from(json.clone())),
        colbert: None,
    };
    for _ in 0..2 {
        engine.keep_written("w1", Outputs::DENSE, &embedded.texts[0], 1, written());
        assert_eq!(metric(&engine, "cache_bytes"), before + length);
    }
    let again = query(&engine, "w1");
    assert!(again.texts[0].written(0).is_none());
    let kept = again.texts[0].written(1).unwrap();
    assert_eq!(kept.dense.as_ref().unwrap().get(), json.get());
}

#[test]
fn an_output_that_would_displace_most_others_is_not_kept() {
    let (engine, script) = caching_engine(64, 10_000);
    let long = "w1 ".repeat(1000);
    for _ in 0..2 {
        query(&engine, &long);
    }
    assert_eq!(script.batches().len(), 2);
    assert_eq!(metric(&engine, "cache_texts"), 0);
}

#[test]
fn a_limit_of_zero_switches_the_cache_off() {
    let (engine, script) = caching_engine(64, 0);
    for _ in 0..3 {
        query(&engine, "w1");
    }
    assert_eq!(script.batches().len(), 3);
    for name in ["cache_hits_total", "cache_misses_total", "cache_bytes"] {
        assert_eq!(metric(&engine, name), 0, "{name}");
    }
}
