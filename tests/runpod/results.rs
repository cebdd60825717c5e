//! What becomes of a result when the platform does not take it well.

use std::time::Duration;

use serde_json::json;

use super::{health_check, healthy};
use crate::support::fake::wait_until;
use crate::support::platform::{Fault, Platform, QueueWorker, Route};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_result_is_sent_with_the_same_bytes_until_it_is_acknowledged() {
    let faults = [
        Fault::Status(300),
        Fault::Redirect(301, "/login"),
        Fault::Redirect(302, "/login"),
        Fault::Redirect(303, "/login"),
        Fault::Status(304),
        Fault::Status(308),
        Fault::Status(408),
        Fault::Status(425),
        Fault::Status(429),
        Fault::RetryAfter(429, "2"),
        Fault::Status(500),
        Fault::Status(502),
        Fault::Status(503),
        Fault::Status(401),
        Fault::Status(403),
        Fault::Status(409),
        Fault::Reset,
        Fault::LostAcknowledgement,
    ];
    std::thread::scope(|scope| {
        for fault in faults {
            scope.spawn(move || is_sent_again_after(&fault));
        }
    });
}

fn is_sent_again_after(fault: &Fault) {
    let platform = Platform::start();
    platform.submit("a", &json!({"query": "What is machine learning?"}));
    platform.script(Route::Post, vec![fault.clone(); 3]);
    // A login page says that all is well.
    platform.script(Route::Unknown, vec![Fault::Body(b"{}".to_vec()); 3]);
    let _worker = QueueWorker::start_with(&platform, &[], &[]);
    assert_eq!(
        platform.answer("a")["output"]["embedding"]
            .as_array()
            .unwrap()
            .len(),
        48
    );
    assert_eq!(platform.posts("a").len(), 4, "{fault:?}");
    platform.check();
}

#[test]
fn a_redirect_that_asks_for_the_same_request_again_takes_the_result_along() {
    for status in [307, 308] {
        let platform = Platform::start();
        platform.submit("a", &json!({"query": "What is machine learning?"}));
        let address = "/v2/endpoint-1/job-done/pod-1/a?gpu=NVIDIA+RTX+A5000&isStream=false";
        platform.script(Route::Post, [Fault::Redirect(status, address)]);
        let mut worker = QueueWorker::start(&platform);
        platform.answer("a");
        worker.served.signal("TERM");
        assert_eq!(worker.served.wait().code(), Some(0));
        let log = worker.served.log();
        assert!(log.contains("outcome=acknowledged"), "{log}");
        assert!(log.contains("attempts=1"), "{log}");
        assert_eq!(platform.posts("a").len(), 2);
        platform.check();
    }
}

#[test]
fn an_answer_that_breaks_off_after_its_status_is_an_acknowledgement() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    platform.script(Route::Post, [Fault::Truncated]);
    let _worker = QueueWorker::start(&platform);
    assert_eq!(platform.answer("a"), healthy());
    platform.submit("b", &health_check());
    assert_eq!(platform.answer("b"), healthy());
    assert_eq!(platform.posts("a").len(), 1);
    platform.check();
}

#[test]
fn a_result_that_is_refused_twice_becomes_an_error_so_that_the_client_learns_of_it() {
    for status in [400, 413, 422] {
        let platform = Platform::start();
        platform.submit("a", &json!({"query": "What is machine learning?"}));
        platform.script(Route::Post, vec![Fault::Status(status); 2]);
        let _worker = QueueWorker::start(&platform);
        let answer = platform.answer("a");
        let posts = platform.posts("a");
        assert_eq!(posts.len(), 3);
        assert_eq!(posts[0].body, posts[1].body);
        let bytes = posts[0].body.len();
        assert_eq!(
            answer,
            json!({"error": format!("result of {bytes} bytes refused ({status})")})
        );
    }
}

#[test]
fn a_job_that_refuses_even_an_error_does_not_hold_up_the_others() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    platform.script(Route::Post, vec![Fault::Status(400); 4]);
    let variables = [("RUNPOD_MAX_CONCURRENCY", "1")];
    let _worker = QueueWorker::start_with(&platform, &[], &variables);
    platform.wait_for_requests(Route::Post, 4);
    platform.submit("b", &health_check());
    assert_eq!(platform.answer("b"), healthy());
    assert_eq!(platform.posts("a").len(), 4);
}

#[test]
fn a_job_that_the_platform_has_forgotten_is_dropped() {
    for status in [404, 410] {
        let platform = Platform::start();
        platform.submit("a", &health_check());
        platform.script(Route::Post, [Fault::Status(status)]);
        let _worker = QueueWorker::start(&platform);
        platform.wait_for_requests(Route::Post, 1);
        platform.submit("b", &health_check());
        assert_eq!(platform.answer("b"), healthy());
        assert_eq!(platform.posts("a").len(), 1);
        platform.check();
    }
}

#[test]
fn while_too_many_results_wait_no_more_jobs_are_taken() {
    let platform = Platform::start();
    for number in 0..30 {
        platform.submit(&format!("job-{number}"), &health_check());
    }
    platform.script(Route::Post, vec![Fault::Status(503); 10_000]);
    let variables = [("RUNPOD_MAX_CONCURRENCY", "2")];
    let _worker = QueueWorker::start_with(&platform, &[], &variables);
    let begun = || {
        let posts = (0..30).map(|number| platform.posts(&format!("job-{number}")));
        posts.filter(|posts| !posts.is_empty()).count()
    };
    // Twice the concurrency, and those that were computed while the last of them came about.
    wait_until("four results that wait", || begun() >= 4);
    std::thread::sleep(SECOND);
    assert!(begun() <= 6);
    // A tenth of the real pauses: at most 1 s for each result.
    let busiest = platform.busiest(Route::Post, SECOND);
    assert!(busiest <= 6 * 7, "{busiest} posts in a second");
    platform.recover();
    platform.wait_until_done();
    platform.check();
}

#[test]
fn a_late_result_is_still_delivered_and_holds_up_no_other() {
    let platform = Platform::start();
    let variables = [
        ("RUNPOD_QUERY__WORKER__JOB_SECONDS", "1"),
        ("RUNPOD_MAX_CONCURRENCY", "1"),
    ];
    for id in ["a", "b"] {
        platform.submit(id, &health_check());
    }
    platform.script(Route::Post, vec![Fault::Status(500); 16]);
    let mut worker = QueueWorker::start_with(&platform, &[], &variables);
    platform.wait_until_done();
    worker.served.signal("TERM");
    assert_eq!(worker.served.wait().code(), Some(0));
    assert!(
        worker.served.log().contains("result is late"),
        "{}",
        worker.served.log()
    );
    platform.check();
}
