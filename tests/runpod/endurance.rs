//! Many jobs with random faults, and the latency of single jobs without faults.

use std::time::{Duration, Instant};

use serde_json::json;

use super::health_check;
use crate::support::platform::{Platform, QueueWorker, RandomFaults, Route};

const JOBS: usize = 10_000;
/// One request in this many fails.
const FAULTY: usize = 20;
const SEED: u64 = 4;
/// Growth of memory that is not a leak: cached results, and pages that the allocator keeps.
const GROWTH_BYTES: u64 = 40_000_000;

#[test]
fn ten_thousand_jobs_with_random_faults_each_have_one_answer() {
    let platform = Platform::start();
    platform.at_random(RandomFaults::new(SEED, FAULTY));
    for number in 0..JOBS {
        submit(&platform, number);
    }
    let variables = [
        ("RUNPOD_MAX_CONCURRENCY", "8"),
        ("RUNPOD_PING_INTERVAL", "60000"),
        ("RUST_LOG", "error,runpod_query::app=info"),
    ];
    let begin = Instant::now();
    let mut worker = QueueWorker::start_scaled(100, &platform, &[], &variables);
    platform.wait_for_answers(JOBS / 4);
    let early = worker.served.resident_bytes();
    platform.wait_until_done();
    let late = worker.served.resident_bytes();
    println!(
        "{JOBS} jobs in {:.1} s, {} takes, {} posts, memory {} MB after a quarter and {} MB at the end",
        begin.elapsed().as_secs_f64(),
        platform.requests(Route::Take).len(),
        platform.requests(Route::Post).len(),
        early / 1_000_000,
        late / 1_000_000,
    );
    assert!(late < early + GROWTH_BYTES, "{early} bytes became {late}");
    worker.served.stop();
    assert_eq!(platform.answered(), JOBS);
    platform.check();
}

/// Every fourth job is a query, and one in twenty is invalid.
fn submit(platform: &Platform, number: usize) {
    let id = format!("job-{number}");
    match number % 20 {
        0 | 4 | 8 | 12 => platform.submit(&id, &json!({"query": format!("question {number}")})),
        16 => platform.submit(
            &id,
            &json!({"action": "embed_batch", "texts": ["one", "two"]}),
        ),
        7 => {
            let broken = [
                r#"{"query":"\ud83d"}"#,
                "null",
                r#"{"x":NaN}"#,
                r#"{"query":7}"#,
            ];
            let input = broken[number / 20 % broken.len()];
            let payload = format!(r#"{{"id":"{id}","input":{input}}}"#);
            platform.submit_raw(Some(&id), payload.as_bytes());
        }
        _ => platform.submit(&id, &health_check()),
    }
}

#[test]
fn an_idle_worker_answers_a_job_with_one_take_and_one_post() {
    let platform = Platform::start();
    let _worker = QueueWorker::start(&platform);
    platform.wait_for_requests(Route::Take, 1);
    let mut turn_arounds = Vec::new();
    for number in 0..100 {
        std::thread::sleep(Duration::from_millis(5));
        let id = format!("job-{number}");
        platform.submit(&id, &health_check());
        platform.answer(&id);
        turn_arounds.push(platform.turnaround(&id));
        assert_eq!(platform.posts(&id).len(), 1);
    }
    turn_arounds.sort_unstable();
    println!(
        "delivery to post: median {:?}, 95th percentile {:?}, longest {:?}",
        turn_arounds[50], turn_arounds[95], turn_arounds[99]
    );
    platform.check();
}
