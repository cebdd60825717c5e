//! The same job, delivered more than once.

use std::time::Duration;

use serde_json::{Value, json};

use super::{health_check, longer_job};
use crate::support::platform::{Fault, Platform, QueueWorker, Route};

#[test]
fn a_job_that_is_worked_on_is_not_begun_again() {
    let platform = Platform::start();
    platform.submit("a", &longer_job());
    let mut worker = QueueWorker::start(&platform);
    platform.wait_until_handed_out("a", 1);
    platform.submit("a", &longer_job());
    platform.wait_until_handed_out("a", 2);
    platform.wait_until_done();
    worker.served.signal("TERM");
    assert_eq!(worker.served.wait().code(), Some(0));
    assert_eq!(platform.posts("a").len(), 1);
    assert!(
        worker.served.log().contains("repeated=1"),
        "{}",
        worker.served.log()
    );
    platform.check();
}

#[test]
fn a_job_that_has_a_result_gets_the_same_bytes_again() {
    let platform = Platform::start();
    let worker = QueueWorker::start(&platform);
    for times in 1..4 {
        platform.submit("a", &json!({"query": "What is machine learning?"}));
        platform.wait_until_handed_out("a", times);
        platform.wait_until_done();
    }
    assert_eq!(platform.posts("a").len(), 3);
    // It was computed once.
    assert_eq!(worker.served.health()["jobs"]["completed"], 1);
    platform.check();
}

#[test]
fn a_job_that_has_failed_is_run_again() {
    let platform = Platform::start();
    let worker = QueueWorker::start(&platform);
    for times in 1..3 {
        platform.submit("a", &json!({"query": " "}));
        platform.wait_until_handed_out("a", times);
        platform.wait_until_done();
    }
    assert_eq!(platform.posts("a").len(), 2);
    assert_eq!(worker.served.health()["jobs"]["failed"], 2);
}

#[test]
fn a_job_that_is_delivered_again_before_the_worker_learns_of_its_acknowledgement_is_answered_again()
{
    for input in [health_check(), json!({"query": " "})] {
        let platform = Platform::start();
        platform.script(Route::Post, [Fault::Held]);
        platform.submit("a", &input);
        let _worker = QueueWorker::start(&platform);
        platform.wait_for_requests(Route::Post, 1);
        platform.submit("a", &input);
        platform.wait_until_handed_out("a", 2);
        // Who asks for the next jobs has the last ones.
        platform.wait_for_next(Route::Take);
        platform.release();
        platform.wait_until_done();
        assert_eq!(platform.posts("a").len(), 2, "{input}");
        platform.check();
    }
}

#[test]
fn the_same_job_twice_in_one_delivery_is_answered_once() {
    let platform = Platform::start();
    let job = json!({"id": "a", "input": health_check()});
    platform.submit("b", &health_check());
    platform.submit_raw(Some("a"), format!("{job},{job}").as_bytes());
    let _worker = QueueWorker::start(&platform);
    platform.wait_until_done();
    platform.submit("c", &health_check());
    platform.wait_until_done();
    assert_eq!(platform.posts("a").len(), 1);
}

#[test]
fn a_platform_that_delivers_the_same_job_on_and_on_is_not_asked_too_often() {
    let forgotten = Fault::Status(404);
    for (input, posts) in [
        (health_check(), vec![]),
        (Value::Null, vec![]),
        (health_check(), vec![forgotten; 1_000]),
    ] {
        let platform = Platform::start();
        platform.submit("a", &input);
        platform.script(Route::Post, posts.clone());
        let delivery = json!({"id": "a", "input": input}).to_string();
        let _worker = QueueWorker::start(&platform);
        platform.wait_until_done();
        platform.script(Route::Take, vec![Fault::Body(delivery.into_bytes()); 1_000]);
        let before = platform.requests(Route::Take).len();
        platform.wait_for_requests(Route::Take, before + 5);
        std::thread::sleep(Duration::from_secs(1));
        for route in [Route::Take, Route::Post] {
            let busiest = platform.busiest(route, Duration::from_secs(1));
            assert!(
                busiest <= 22,
                "{route:?} {busiest} times in a second: {input} {posts:?}"
            );
        }
        platform.check();
    }
}
