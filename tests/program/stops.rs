//! Stops at random moments. Whoever cannot be served any more gets 503 or a closed connection, and the exit code is
//! always the documented one. `tests/stops.sh` repeats each kind of stop many times.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::fake::wait_until;
use crate::support::program::Served;

/// Variable with the number of stops of each kind.
const STOPS: &str = "TEST_STOPS";
/// Number of stops of each kind without it.
const DEFAULT_STOPS: usize = 4;
/// Clients that ask without a pause, beside those with bulk work.
const CLIENTS: usize = 6;
/// Clients whose jobs take longer than the grace period.
const BULK_CLIENTS: usize = 2;
/// The shortest grace period.
const GRACE_SECONDS: &str = "1";
/// Milliseconds of load before the first signal.
const LOAD: Range<u64> = 0..300;
/// Milliseconds between two signals.
const PAUSE: Range<u64> = 0..60;
/// Milliseconds from the start until the model is loaded, generously.
const LOADING: Range<u64> = 0..400;
/// A sentence that a client's texts repeat.
const SENTENCE: &str = "What is machine learning, and what is it good for? ";

/// What came of every stop of a kind, and of the requests meanwhile.
#[derive(Default)]
struct Outcomes {
    answers: Mutex<BTreeMap<String, usize>>,
    longest_end: Duration,
}

impl Outcomes {
    fn add(&self, answer: String) {
        *self.answers.lock().unwrap().entry(answer).or_default() += 1;
    }

    /// Prints the outcomes, and fails unless every answer is one that a stop may cause.
    fn check(&self, kind: &str, stops: usize) {
        let answers = self.answers.lock().unwrap();
        println!(
            "{kind}: {stops} stops, the longest in {} ms, answers {answers:?}",
            self.longest_end.as_millis()
        );
        let allowed = ["200", "429", "503", "504", "closed"];
        let wrong: Vec<_> = answers
            .keys()
            .filter(|answer| !allowed.contains(&answer.as_str()))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}

fn stops() -> usize {
    std::env::var(STOPS).map_or(DEFAULT_STOPS, |stops| stops.parse().unwrap())
}

fn sleep(random: &mut fastrand::Rng, milliseconds: Range<u64>) {
    std::thread::sleep(Duration::from_millis(random.u64(milliseconds)));
}

/// Starts the server `stops` times; `stop` signals it while clients ask, and returns the expected exit codes.
fn repeat(kind: &str, grace: &str, stop: impl Fn(&Served, &mut fastrand::Rng) -> &'static [i32]) {
    let stops = stops();
    let mut outcomes = Outcomes::default();
    let mut wrong_ends = Vec::new();
    for seed in 0..stops as u64 {
        let grace = (
            "RUNPOD_QUERY__SERVER__SHUTDOWN_GRACE_SECONDS",
            grace.to_owned(),
        );
        let mut served = Served::start_in(&["--model", "minilm", "--threads", "2"], &[grace]);
        let (expected, begin) = std::thread::scope(|scope| {
            for client in 0..CLIENTS + BULK_CLIENTS {
                let (served, outcomes) = (&served, &outcomes);
                scope.spawn(move || ask_until_closed(served, outcomes, client));
            }
            let _guard = EndOnPanic(&served);
            let expected = stop(&served, &mut fastrand::Rng::with_seed(seed));
            (expected, Instant::now())
        });
        let status = served.wait();
        outcomes.longest_end = outcomes.longest_end.max(begin.elapsed());
        let log = served.log();
        let is_right = status.code().is_some_and(|code| expected.contains(&code));
        if !is_right || log.contains("defect") {
            wrong_ends.push(format!("stop {seed}: {status}, expected {expected:?}"));
            eprintln!("{log}");
        }
    }
    println!("{kind}: {} wrong ends {wrong_ends:?}", wrong_ends.len());
    outcomes.check(kind, stops);
    assert!(wrong_ends.is_empty(), "{wrong_ends:?}");
}

/// Ends the server when a stop panics: its clients, for whom the test waits, end with it.
struct EndOnPanic<'a>(&'a Served);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.signal("KILL");
        }
    }
}

/// Sends requests of every kind, one after the other, until the server has gone.
fn ask_until_closed(served: &Served, outcomes: &Outcomes, client: usize) {
    for number in client.. {
        let (route, body) = if client >= CLIENTS {
            ("/runsync", bulk())
        } else {
            request(number)
        };
        match served.post(route, &body) {
            Ok((status, answer)) => outcomes.add(outcome(status, &answer)),
            Err(_) => return outcomes.add("closed".to_owned()),
        }
    }
}

fn bulk() -> Value {
    let texts: Vec<_> = (0..256)
        .map(|number| format!("{number} {}", SENTENCE.repeat(40)))
        .collect();
    json!({"input": {"action": "embed_batch", "texts": texts}})
}

fn request(number: usize) -> (&'static str, Value) {
    // Other clients may send the same, at the same time or later.
    let sentence = format!("{number} {SENTENCE}");
    match number % 5 {
        0 => ("/runsync", json!({"input": {"query": sentence}})),
        // Tokenized on another thread.
        1 => (
            "/runsync",
            json!({"input": {"query": sentence.repeat(2000)}}),
        ),
        2 => ("/v1/embeddings", json!({"input": [sentence, SENTENCE]})),
        3 => ("/runsync?wait=1000", json!({"input": {"query": sentence}})),
        _ => ("/run", json!({"input": {"query": sentence}})),
    }
}

/// The status of an answer, with the error of a failed job.
fn outcome(status: u16, answer: &Value) -> String {
    match answer["error"].as_str() {
        Some(error) => format!("{status} {error}"),
        None if status == 500 => format!("{status} {answer}"),
        None => status.to_string(),
    }
}

/// Sends the second signal when the first has arrived: two that are pending at once are one.
fn signal_twice(served: &Served, random: &mut fastrand::Rng) {
    served.signal("TERM");
    served.wait_for_log("stopping by=");
    sleep(random, PAUSE);
    served.signal("TERM");
}

fn wait_for_work(served: &Served) {
    served.wait_for_status(200);
    wait_until("work", || served.health()["jobs"]["inProgress"] != 0);
}

#[test]
fn when_the_grace_period_is_over_nobody_gets_an_internal_error_and_the_exit_code_is_zero() {
    repeat("grace over", GRACE_SECONDS, |served, random| {
        wait_for_work(served);
        sleep(random, LOAD);
        served.signal("TERM");
        &[0]
    });
}

#[test]
fn at_a_second_signal_nobody_gets_an_internal_error_and_the_exit_code_names_the_signal() {
    repeat("second signal", "300", |served, random| {
        wait_for_work(served);
        sleep(random, LOAD);
        signal_twice(served, random);
        &[143]
    });
}

#[test]
fn a_stop_while_the_model_loads_is_a_success_at_every_moment() {
    repeat("loading", GRACE_SECONDS, |served, random| {
        sleep(random, LOADING);
        served.signal("TERM");
        &[0]
    });
}

#[test]
fn a_second_signal_while_the_model_loads_never_ends_in_a_crash() {
    repeat("second signal, loading", "300", |served, random| {
        sleep(random, LOADING);
        signal_twice(served, random);
        // The first signal may have been enough.
        &[0, 143]
    });
}
