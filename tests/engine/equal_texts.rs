//! Equal texts of one call are computed once and answered in every place.

use runpod_query::engine::{Call, Error, Priority, Task};

use super::{block_on, call, engine, numbered, occupy, queued, texts};
use crate::support::fake::{FAIL, vector};

const PRIORITIES: [Priority; 3] = [Priority::Interactive, Priority::List, Priority::Bulk];

#[test]
fn equal_texts_of_a_call_run_once_and_each_place_has_its_vector() {
    for priority in PRIORITIES {
        let (engine, script) = engine(64, 512);
        let repeated = texts(&["w1 w2", "w3", "w1 w2", "w4 w4 w4", "w3", "w1 w2"]);
        let embedded = block_on(engine.embed(repeated, priority, Call::default())).unwrap();
        // Tokens are counted in every place.
        assert_eq!(embedded.tokens, 2 + 1 + 2 + 3 + 1 + 2);
        let [first, second, third] = [vector(1, 2), vector(3, 1), vector(4, 3)];
        assert_eq!(
            embedded.into_dense(),
            [&first, &second, &first, &third, &second, &first].map(Clone::clone)
        );
        assert_eq!(script.batches(), [[1, 2, 3]], "{priority:?}");
    }
}

#[test]
fn equal_texts_take_the_room_of_one() {
    let (engine, script) = engine(8, 512);
    let running = occupy(&engine, &script);
    let equal = call(&engine, vec!["w1".to_owned(); 1000], Priority::Bulk);
    queued(&engine, 1);
    let others = call(&engine, numbered(2..9), Priority::Bulk);
    queued(&engine, 8);
    script.release();
    assert_eq!(equal.join().unwrap().unwrap().texts.len(), 1000);
    for caller in [others, running] {
        caller.join().unwrap().unwrap();
    }
}

#[test]
fn equal_texts_of_a_large_call_run_once_in_whichever_piece_they_are() {
    let (engine, script) = engine(8, 16);
    let mut large = numbered(0..50);
    large.extend(numbered(0..50));
    let embedded = block_on(engine.embed(large, Priority::Bulk, Call::default())).unwrap();
    let expected = (0..50).chain(0..50).map(|number| vector(number, 1));
    assert!(embedded.into_dense().into_iter().eq(expected));
    assert_eq!(script.batches().concat().len(), 50);
}

#[test]
fn long_lists_are_compared_too() {
    let (engine, script) = engine(64, 512);
    let long = "w5 ".repeat(2000);
    let texts = vec![long; 40];
    let embedded = block_on(engine.embed(texts, Priority::Bulk, Call::default())).unwrap();
    assert_eq!(embedded.tokens, 40 * 2000);
    assert_eq!(script.batches(), [[2000]]);
}

#[test]
fn the_tokens_of_every_place_count_against_the_limit() {
    let (engine, script) = engine(64, 512);
    let task = |most_tokens| Task {
        most_tokens,
        ..Task::from(texts(&["w1 w2 w3", "w1 w2 w3", "w1 w2 w3"]))
    };
    let refused = block_on(engine.embed(task(8), Priority::Bulk, Call::default()));
    assert!(
        matches!(refused, Err(Error::TooManyTokens { tokens: 9 })),
        "{refused:?}"
    );
    assert!(script.batches().is_empty());
    assert!(block_on(engine.embed(task(9), Priority::Bulk, Call::default())).is_ok());
}

#[test]
fn a_text_that_fails_fails_its_call_wherever_it_stands() {
    let (engine, _script) = engine(64, 512);
    let failing = texts(&["w1", FAIL, "w1", FAIL]);
    let outcome = block_on(engine.embed(failing, Priority::Bulk, Call::default()));
    assert!(matches!(outcome, Err(Error::Model(_))), "{outcome:?}");
}
