//! What a worker sends when nothing goes wrong.

use std::time::Duration;

use serde_json::json;

use super::{health_check, healthy, long_job};
use crate::support::platform::{Fault, POD, Platform, QueueWorker, Route};
use crate::support::program::floats;

#[test]
fn a_job_is_taken_performed_and_posted() {
    let platform = Platform::start();
    platform.submit("sync-1", &json!({"query": "What is machine learning?"}));
    platform.submit("sync-2", &health_check());
    let worker = QueueWorker::start(&platform);
    let answer = platform.answer("sync-1");
    assert_eq!(platform.answer("sync-2"), healthy());
    let direct = worker.served.embed("What is machine learning?");
    assert_eq!(floats(&answer["output"]["embedding"]), direct);
    let post = &platform.requests(Route::Post)[0];
    assert_eq!(post.header("x-request-id"), post.path.rsplit('/').next());
    platform.check();
}

#[test]
fn as_many_jobs_are_asked_for_as_there_is_room() {
    let platform = Platform::start();
    let _worker = QueueWorker::start_with(&platform, &[], &[("RUNPOD_MAX_CONCURRENCY", "3")]);
    platform.wait_for_requests(Route::Take, 1);
    for number in 0..7 {
        platform.submit(&format!("job-{number}"), &health_check());
    }
    platform.wait_until_done();
    let first = &platform.requests(Route::Take)[0];
    assert_eq!(first.path, format!("/v2/endpoint-1/job-take-batch/{POD}"));
    assert_eq!(
        first.query,
        "gpu=NVIDIA+RTX+A5000&batch_size=3&job_in_progress=0"
    );
    platform.check();
}

#[test]
fn a_worker_for_one_job_at_a_time_takes_single_jobs_and_says_when_it_is_busy() {
    let platform = Platform::start();
    let _worker = QueueWorker::start_with(&platform, &[], &[("RUNPOD_MAX_CONCURRENCY", "1")]);
    platform.wait_for_requests(Route::Take, 1);
    platform.submit("a", &health_check());
    platform.submit("b", &health_check());
    platform.wait_until_done();
    for take in platform.requests(Route::Take) {
        assert_eq!(take.path, format!("/v2/endpoint-1/job-take/{POD}"));
        assert_eq!(take.parameter("batch_size"), None);
    }
    platform.check();
}

#[test]
fn concurrent_jobs_share_the_model_and_each_gets_its_own_vector() {
    let platform = Platform::start();
    for number in 0..24 {
        platform.submit(
            &format!("job-{number}"),
            &json!({"query": format!("question {number}")}),
        );
    }
    let worker = QueueWorker::start_with(&platform, &[], &[("RUNPOD_MAX_CONCURRENCY", "8")]);
    platform.wait_until_done();
    for number in 0..24 {
        let vector = floats(&platform.answer(&format!("job-{number}"))["output"]["embedding"]);
        let alone = worker.served.embed(&format!("question {number}"));
        assert!(crate::support::golden::largest_difference(&vector, &alone) < 1e-5);
    }
    platform.check();
}

#[test]
fn heartbeats_name_the_jobs_that_are_worked_on_and_go_on_while_the_processor_is_busy() {
    let platform = Platform::start();
    // The heartbeat is then ten times a second.
    let _worker = QueueWorker::start(&platform);
    platform.wait_for_requests(Route::Ping, 3);
    assert!(
        platform
            .requests(Route::Ping)
            .iter()
            .all(|ping| ping.parameter("job_id").is_none())
    );
    // No answer is taken, so that all of them are worked on at the end.
    platform.script(Route::Post, vec![Fault::Status(500); 10_000]);
    let ids = ["long-1", "long-2", "long-3"];
    for id in ids {
        platform.submit(id, &long_job());
    }
    platform.wait_until_named(ids[2]);
    let named = platform.requests(Route::Ping).len();
    platform.wait_for_requests(Route::Post, 1);
    let busy = platform.requests(Route::Ping).len() - named;
    assert!(busy >= 3, "{busy} heartbeats while the jobs were computed");
    platform.wait_for_requests(Route::Ping, named + busy + 3);
    assert_eq!(platform.requests(Route::Ping).last().unwrap().jobs(), ids);
    platform.recover();
    platform.wait_until_done();
    platform.wait_until_nothing_is_named();
    platform.check();
}

#[test]
fn the_http_service_answers_beside_the_queue() {
    let platform = Platform::start();
    let worker = QueueWorker::start(&platform);
    platform.wait_for_requests(Route::Take, 1);
    assert_eq!(worker.served.ping(), 200);
    assert_eq!(worker.served.run(&health_check())["status"], "COMPLETED");
    platform.submit("a", &health_check());
    platform.wait_until_done();
    assert_eq!(worker.served.health()["jobs"]["completed"], 2);
}

#[test]
fn an_idle_worker_asks_again_and_again_without_haste() {
    let platform = Platform::start();
    let _worker = QueueWorker::start(&platform);
    platform.wait_for_requests(Route::Take, 5);
    // Every poll is held for 400 ms.
    assert!(platform.busiest(Route::Take, Duration::from_secs(1)) <= 4);
    platform.check();
}

#[test]
fn the_log_has_no_key_no_address_of_the_platform_and_no_text() {
    let platform = Platform::start();
    platform.submit("a", &json!({"query": "a secret that nobody may read"}));
    platform.submit("b", &json!({"queries": ["another secret", 7]}));
    platform.submit_raw(Some("c"), br#"{"id":"c","input":{"query":"a third secret"#);
    platform.script(Route::Post, [Fault::Reset, Fault::Status(500)]);
    let no_delivery = br#")]}', {"id":"d","input":{"query":"a fourth secret"}}"#;
    platform.script(Route::Take, [Fault::Body(no_delivery.to_vec())]);
    let variables = [("RUST_LOG", "debug")];
    let mut worker = QueueWorker::start_with(&platform, &[], &variables);
    platform.wait_until_done();
    worker.served.signal("TERM");
    worker.served.wait();
    let log = worker.served.log();
    let line = log
        .lines()
        .find(|line| line.contains("outcome=completed texts=1"));
    assert!(
        line.is_some_and(|line| line.contains(r#""requestId":"a""#)),
        "{log}"
    );
    let key = crate::support::platform::KEY;
    for hidden in ["secret", key, "/job-take", "/job-done", "/ping/"] {
        assert!(!log.contains(hidden), "{hidden}: {log}");
    }
}
