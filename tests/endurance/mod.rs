//! Minutes of everything at once: 10,000 jobs from a queue with faults, clients over HTTP of which some disconnect, stopped
//! jobs, and at the end stopped workers. `tests/endurance.sh` runs it.

mod clients;
mod texts;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::fake::wait_until;
use crate::support::platform::{Platform, QueueWorker, RandomFaults, Route};
use crate::support::program::Served;
use clients::Clients;
use texts::Texts;

/// Variable with the minutes that the load lasts.
const MINUTES: &str = "ENDURANCE_MINUTES";
const DEFAULT_MINUTES: f64 = 5.0;
const JOBS: usize = 10_000;
/// The last of the jobs, during which workers are stopped.
const LAST_JOBS: usize = 1_000;
const WORKERS_STOPPED: usize = 3;
/// One request of the worker in this many fails.
const FAULTY: usize = 20;
/// One job in this many is stopped.
const STOPPED: usize = 50;
const SEED: u64 = 7;
/// On a machine that is slower than the load, the load takes longer.
const MOST_QUEUED: usize = 200;
const PAUSE: Duration = Duration::from_millis(10);
/// Samples of the memory.
const SAMPLES: usize = 30;
/// Growth that is not a leak: pages that the allocator keeps. Every cache is full when the first of the compared
/// samples is taken.
const GROWTH_BYTES: u64 = 10_000_000;
const VARIABLES: [(&str, &str); 6] = [
    ("RUNPOD_MAX_CONCURRENCY", "8"),
    ("RUNPOD_PING_INTERVAL", "5000"),
    // Some of the texts find room, and the others displace them.
    ("RUNPOD_QUERY__ENGINE__CACHE_BYTES", "100000"),
    ("RUNPOD_QUERY__JOBS__MEMORY_BYTES", "10000000"),
    ("RUNPOD_QUERY__JOBS__RESULT_SECONDS", "30"),
    ("RUST_LOG", "error,runpod_query::app=info"),
];

#[test]
#[ignore = "it takes minutes: tests/endurance.sh runs it"]
fn no_job_is_lost_or_doubled_and_memory_stays_flat() {
    let minutes =
        std::env::var(MINUTES).map_or(DEFAULT_MINUTES, |minutes| minutes.parse().unwrap());
    let platform = Platform::start();
    let mut worker = start(&platform);
    let texts = Texts::embedded_by(&worker.served);
    platform.at_random(RandomFaults::new(SEED, FAULTY));

    let memory = load(&platform, &worker.served, &texts, minutes);
    platform.wait_until_done();
    wait_until("the end of every job", || {
        let jobs = &worker.served.health()["jobs"];
        jobs["inQueue"] == 0 && jobs["inProgress"] == 0
    });
    let taken = counter(&worker.served, "runpod_query_worker_taken_total");
    let ran_twice = taken - platform.delivered();
    println!(
        "load: {} jobs delivered, {ran_twice} ran twice, {} takes, {} posts",
        platform.delivered(),
        platform.requests(Route::Take).len(),
        platform.requests(Route::Post).len(),
    );

    (JOBS - LAST_JOBS..JOBS).for_each(|number| submit(&platform, &texts, number));
    for number in 1..=WORKERS_STOPPED {
        platform.wait_for_answers(JOBS - LAST_JOBS + number * LAST_JOBS / (WORKERS_STOPPED + 1));
        worker.served.stop();
        worker = start(&platform);
    }
    platform.wait_until_done();
    worker.served.stop();

    let outcome = Outcome::of(&platform, &texts);
    println!("{outcome:?}");
    platform.check();
    let Outcome {
        lost,
        doubled,
        wrong,
        ..
    } = outcome;
    assert_eq!([lost, doubled, wrong, ran_twice], [0; 4]);
    let (early, late) = (middle(&memory, 0.4, 0.6), middle(&memory, 0.8, 1.0));
    println!(
        "memory: {} MB after half of the load, {} MB at its end",
        early / 1_000_000,
        late / 1_000_000
    );
    assert!(late < early + GROWTH_BYTES, "{early} bytes became {late}");
}

fn start(platform: &Platform) -> QueueWorker {
    let worker = QueueWorker::start_without_model_in(platform, &["--model", "minilm"], &VARIABLES);
    worker.served.wait_for_status(200);
    worker
}

/// Submits all but the last jobs while clients send requests; gives the memory at regular times.
fn load(platform: &Platform, served: &Served, texts: &Texts, minutes: f64) -> Vec<u64> {
    let clients = Clients::start(served.address(), texts);
    let begin = Instant::now();
    let duration = Duration::from_secs_f64(minutes * 60.0);
    let mut memory = Vec::new();
    for number in 0..JOBS - LAST_JOBS {
        let passed = number as f64 / (JOBS - LAST_JOBS) as f64;
        std::thread::sleep(duration.mul_f64(passed).saturating_sub(begin.elapsed()));
        while platform.queued() >= MOST_QUEUED {
            std::thread::sleep(PAUSE);
        }
        submit(platform, texts, number);
        if number % STOPPED == 0 {
            platform.stop_any_job();
        }
        if number % ((JOBS - LAST_JOBS) / SAMPLES) == 0 {
            memory.push(served.resident_bytes());
            println!(
                "{:4.0} s: queue {} answered; HTTP {}; {} MB",
                begin.elapsed().as_secs_f64(),
                platform.answered(),
                clients.counts(),
                served.resident_bytes() / 1_000_000
            );
        }
    }
    let counts = clients.stop();
    assert!(counts.wrong.is_empty(), "{:#?}", counts.wrong);
    memory
}

fn submit(platform: &Platform, texts: &Texts, number: usize) {
    platform.submit(&id(number), &job(texts, number).0);
}

/// The input of a job, and its answer. One in ten is a list; all are valid, because a failed job may run twice.
fn job(texts: &Texts, number: usize) -> (Value, Value) {
    if !number.is_multiple_of(10) {
        let query = json!({"query": texts.text(number)});
        let output = json!({"output": {"embedding": texts.vector(number)}});
        return (query, output);
    }
    let numbers = number..number + 4;
    let list: Vec<_> = numbers.clone().map(|number| texts.text(number)).collect();
    let vectors: Vec<_> = numbers.map(|number| texts.vector(number)).collect();
    let batch = json!({"action": "embed_batch", "texts": list});
    (batch, json!({"output": {"embeddings": vectors}}))
}

fn id(number: usize) -> String {
    format!("job-{number}")
}

/// What became of the jobs.
#[derive(Debug, Default)]
struct Outcome {
    /// Neither answered nor stopped.
    lost: usize,
    /// Accepted with more than one answer.
    doubled: usize,
    /// Answered with something else than what was asked for.
    wrong: usize,
    /// Stopped without an answer.
    stopped: usize,
}

impl Outcome {
    fn of(platform: &Platform, texts: &Texts) -> Self {
        let (accepted, stopped) = (platform.accepted(), platform.perhaps_stopped());
        let mut outcome = Self::default();
        for number in 0..JOBS {
            let Some(answers) = accepted.get(&id(number)) else {
                let count = if stopped.contains(&id(number)) {
                    &mut outcome.stopped
                } else {
                    &mut outcome.lost
                };
                *count += 1;
                continue;
            };
            outcome.doubled += usize::from(answers.len() > 1);
            outcome.wrong += usize::from(!is_right(answers, texts, number));
        }
        outcome
    }
}

fn is_right(answers: &BTreeSet<Vec<u8>>, texts: &Texts, number: usize) -> bool {
    let (_, expected) = job(texts, number);
    let given = |answer: &Vec<u8>| serde_json::from_slice::<Value>(answer).unwrap();
    answers.iter().all(|answer| given(answer) == expected)
}

/// The value of a counter of the server.
fn counter(served: &Served, name: &str) -> usize {
    let metrics = served.get("/metrics");
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)).unwrap();
    value.trim().parse().unwrap()
}

/// The median of the values from one part of a series to another.
fn middle(values: &[u64], from: f64, to: f64) -> u64 {
    let index = |part: f64| (values.len() as f64 * part) as usize;
    let mut values = values[index(from)..index(to)].to_vec();
    values.sort_unstable();
    values[values.len() / 2]
}
