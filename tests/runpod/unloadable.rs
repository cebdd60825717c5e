//! A worker whose model cannot be loaded: the jobs that wait for it fail, RunPod learns of it, and the worker ends.

use serde_json::{Value, json};

use super::health_check;
use crate::support::platform::{Fault, Platform, QueueWorker, Route};

/// What a caller learns.
fn not_loaded() -> Value {
    json!({"error": "unavailable: the model cannot be loaded"})
}

fn start(platform: &Platform) -> QueueWorker {
    QueueWorker::start_without_model(platform, &["--model-directory", "/nowhere/at/all"])
}

/// Waits for the worker's end, which must be a failure, and checks what RunPod was told.
#[track_caller]
fn end(platform: &Platform, mut worker: QueueWorker) -> String {
    assert_eq!(worker.served.wait().code(), Some(1));
    assert_eq!(platform.requests(Route::Take).len(), 1);
    let pings = platform.requests(Route::Ping);
    assert_eq!(pings.len(), 1);
    assert_eq!(pings[0].parameter("status").unwrap(), "unhealthy");
    assert_eq!(pings[0].parameter("check").unwrap(), "model");
    let reason = pings[0].parameter("reason").unwrap();
    assert!(
        reason.contains("/nowhere/at/all") && reason.len() <= 256,
        "{reason}"
    );
    worker.served.log()
}

#[test]
fn the_jobs_of_one_take_fail_and_then_the_worker_is_unhealthy() {
    let platform = Platform::start();
    for id in ["a", "b", "c", "d", "one-too-many"] {
        platform.submit(id, &json!({"query": "what is a vector?"}));
    }
    let worker = start(&platform);
    for id in ["a", "b", "c", "d"] {
        assert_eq!(platform.answer(id), not_loaded());
    }
    end(&platform, worker);
    let takes = platform.requests(Route::Take);
    assert_eq!(takes[0].parameter("batch_size").unwrap(), "4");
    let ping = platform.requests(Route::Ping)[0].at;
    assert!(
        platform
            .requests(Route::Post)
            .iter()
            .all(|post| post.at < ping)
    );
    assert!(platform.posts("one-too-many").is_empty());
    platform.check();
}

#[test]
fn every_action_fails_and_an_invalid_job_with_its_own_error() {
    let platform = Platform::start();
    platform.submit("health", &health_check());
    platform.submit("batch", &json!({"action": "embed_batch", "texts": ["a"]}));
    platform.submit("invalid", &json!({"query": 7}));
    let worker = start(&platform);
    assert_eq!(platform.answer("health"), not_loaded());
    assert_eq!(platform.answer("batch"), not_loaded());
    let invalid = platform.answer("invalid")["error"].clone();
    assert!(
        invalid.as_str().unwrap().starts_with("invalid: query"),
        "{invalid}"
    );
    end(&platform, worker);
    platform.check();
}

#[test]
fn without_a_job_there_is_one_take_and_no_answer() {
    for fault in [
        None,
        Some(Fault::Status(204)),
        Some(Fault::Status(401)),
        Some(Fault::Status(500)),
        Some(Fault::Reset),
        Some(Fault::Hang),
    ] {
        let platform = Platform::start();
        platform.script(Route::Take, fault);
        let worker = start(&platform);
        end(&platform, worker);
        assert!(platform.requests(Route::Post).is_empty());
    }
}

#[test]
fn an_answer_that_is_not_acknowledged_is_posted_again() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    platform.script(
        Route::Post,
        [
            Fault::Status(500),
            Fault::Status(401),
            Fault::LostAcknowledgement,
        ],
    );
    let worker = start(&platform);
    assert_eq!(platform.answer("a"), not_loaded());
    end(&platform, worker);
    platform.check();
}

#[test]
fn answers_that_are_never_acknowledged_do_not_keep_the_worker() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    platform.script(Route::Post, vec![Fault::Status(503); 10_000]);
    let worker = start(&platform);
    let log = end(&platform, worker);
    assert!(log.contains("unanswered jobs=a"), "{log}");
    assert!(platform.posts("a").len() > 1);
}

#[test]
fn a_signal_closes_the_open_take() {
    let platform = Platform::start();
    platform.script(Route::Take, [Fault::Hang]);
    let worker = start(&platform);
    platform.wait_for_requests(Route::Take, 1);
    worker.served.signal("TERM");
    let log = end(&platform, worker);
    assert!(log.contains("stopping by=SIGTERM"), "{log}");
}

#[test]
fn while_jobs_fail_the_probe_says_that_the_worker_is_about_to_end() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    platform.script(Route::Post, [Fault::Held]);
    let worker = start(&platform);
    platform.wait_for_requests(Route::Post, 1);
    assert_eq!(worker.served.ping(), 503);
    let answer = worker.served.run(&health_check());
    assert_eq!(
        answer,
        json!({"code": "unavailable", "message": "the model cannot be loaded"})
    );
    platform.release();
    assert_eq!(platform.answer("a"), not_loaded());
    end(&platform, worker);
}
