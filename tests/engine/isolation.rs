//! One text never harms another: of texts that share a batch, only the one that fails alone gets an error.

use runpod_query::engine::{Call, Priority};

use super::{block_on, call, call_with, engine, occupy, queued, texts};
use crate::support::fake::{FAIL, NO_VECTOR, PANIC, WAIT, vector};

const INNOCENTS: usize = 30;

#[test]
fn only_the_harmful_text_of_a_batch_gets_an_error() {
    for (harmful, run_again) in [
        (FAIL, INNOCENTS + 1),
        (PANIC, INNOCENTS + 1),
        (NO_VECTOR, 1),
    ] {
        let (engine, script) = engine(1024, 512);
        let running = occupy(&engine, &script);
        let innocents: Vec<_> = (0..INNOCENTS)
            .map(|number| call(&engine, vec![format!("w{number}")], Priority::Interactive))
            .collect();
        let harmed = call(&engine, texts(&[harmful]), Priority::Interactive);
        queued(&engine, INNOCENTS + 1);
        script.release();
        let error = harmed.join().unwrap().unwrap_err();
        assert!(
            format!("{error:?}").contains("as the text says"),
            "{error:?}"
        );
        for (number, innocent) in innocents.into_iter().enumerate() {
            assert_eq!(
                innocent.join().unwrap().unwrap().embeddings,
                [vector(number, 1)]
            );
        }
        running.join().unwrap().unwrap();
        let mut expected = vec![vec![1], vec![1; INNOCENTS + 1]];
        expected.extend(vec![vec![1]; run_again]);
        assert_eq!(script.batches(), expected, "{harmful}");
        assert_eq!(engine.status().queued_texts, 0);
    }
}

#[test]
fn a_batch_of_one_text_is_not_run_again() {
    for harmful in [FAIL, PANIC, NO_VECTOR] {
        let (engine, script) = engine(8, 512);
        let outcome =
            block_on(engine.embed(texts(&[harmful]), Priority::Interactive, Call::default()));
        assert!(outcome.is_err());
        assert_eq!(script.batches(), [[1]], "{harmful}");
    }
}

#[test]
fn a_text_that_nobody_wants_any_more_is_not_run_again() {
    let (engine, script) = engine(8, 512);
    let running = occupy(&engine, &script);
    let failing = call(&engine, texts(&[FAIL]), Priority::Interactive);
    let cancelled = Call::default();
    let gone = call_with(
        &engine,
        texts(&[WAIT, "w1"]),
        Priority::Interactive,
        cancelled.clone(),
    );
    queued(&engine, 3);
    script.release();
    script.wait_for_batches(2);
    cancelled.cancel();
    script.release();
    assert!(failing.join().unwrap().is_err());
    assert!(gone.join().unwrap().is_err());
    running.join().unwrap().unwrap();
    assert_eq!(script.batches(), [vec![1], vec![1; 3], vec![1]]);
}

#[test]
fn a_query_goes_before_the_texts_of_a_list_that_run_again() {
    let (engine, script) = engine(1024, 512);
    let list = call(&engine, texts(&[WAIT, FAIL, "w1"]), Priority::Bulk);
    script.wait_for_batches(1);
    let query = call(&engine, texts(&["w2 w3"]), Priority::Interactive);
    queued(&engine, 1);
    script.release();
    assert_eq!(query.join().unwrap().unwrap().embeddings, [vector(2, 2)]);
    // The first text of the list waits for the script again.
    script.release();
    assert!(list.join().unwrap().is_err());
    assert_eq!(script.batches()[..2], [vec![1; 3], vec![2]]);
}
