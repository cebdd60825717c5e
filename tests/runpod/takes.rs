//! What a worker makes of a platform that hands out jobs badly: it asks on, and never too often.

use std::time::{Duration, Instant};

use super::{health_check, healthy};
use crate::support::platform::{Fault, Platform, QueueWorker, Route};

/// Faults in a row: enough to tell a pause that grows from none.
const TIMES: usize = 200;
const SECOND: Duration = Duration::from_secs(1);

/// Lets every take go wrong for a second, and gives the most takes of any second.
fn takes_under(fault: &Fault) -> usize {
    let platform = Platform::start();
    platform.script(Route::Take, vec![fault.clone(); TIMES]);
    platform.submit("after", &health_check());
    let _worker = QueueWorker::start(&platform);
    platform.wait_for_requests(Route::Take, 2);
    std::thread::sleep(SECOND);
    let busiest = platform.busiest(Route::Take, SECOND);
    platform.recover();
    assert_eq!(platform.answer("after"), healthy(), "{fault:?}");
    platform.check();
    busiest
}

#[test]
fn whatever_the_platform_answers_it_is_asked_on_and_not_too_often() {
    // Pauses are a tenth of the real ones, so that a hundred takes in a second are ten.
    let table = [
        (Fault::Status(204), 24),
        (Fault::Status(400), 24),
        (Fault::Status(401), 12),
        (Fault::Status(403), 12),
        (Fault::Status(404), 12),
        (Fault::RetryAfter(429, "5"), 4),
        (Fault::Status(429), 4),
        (Fault::Status(500), 12),
        (Fault::Status(503), 12),
        (Fault::Reset, 12),
        (Fault::Truncated, 12),
        (Fault::Body(b"<html>no</html>".to_vec()), 12),
        (Fault::Body(b"[]".to_vec()), 24),
        (Fault::Body(b"null".to_vec()), 24),
        (Fault::Body(Vec::new()), 24),
        (Fault::Body(br#"[{"input":{}},7]"#.to_vec()), 24),
    ];
    std::thread::scope(|scope| {
        for (fault, most) in table {
            scope.spawn(move || {
                let busiest = takes_under(&fault);
                assert!(busiest <= most, "{fault:?}: {busiest} takes in a second");
            });
        }
    });
}

#[test]
fn nothing_listens_and_the_worker_waits_until_something_does() {
    let platform = Platform::start();
    let take = "http://127.0.0.1:1/v2/endpoint-1/job-take/$ID";
    let begin = Instant::now();
    let mut worker = QueueWorker::start_with(&platform, &[], &[("RUNPOD_WEBHOOK_GET_JOB", take)]);
    platform.wait_for_requests(Route::Ping, 5);
    worker.served.wait_for_log("take failed");
    assert_eq!(worker.served.ping(), 200);
    worker.served.signal("TERM");
    assert_eq!(worker.served.wait().code(), Some(0));
    let failures = worker.served.log().matches("take failed").count();
    // The pauses grow in the first second, to a quarter of a second at the least.
    let most = 10 + 4 * begin.elapsed().as_secs() as usize;
    assert!((1..=most).contains(&failures), "{failures}, at most {most}");
}

#[test]
fn a_slow_answer_and_one_under_a_wrong_name_bring_their_job() {
    for fault in [
        Fault::Slow(Duration::from_millis(300)),
        Fault::ContentType("text/html"),
        Fault::ContentType("application/octet-stream"),
    ] {
        let platform = Platform::start();
        platform.script(Route::Take, [fault.clone()]);
        platform.submit("a", &health_check());
        let _worker = QueueWorker::start(&platform);
        assert_eq!(platform.answer("a"), healthy(), "{fault:?}");
        assert_eq!(platform.requests(Route::Post).len(), 1, "{fault:?}");
    }
}

#[test]
fn a_poll_that_is_held_too_long_is_given_up_and_asked_again() {
    let platform = Platform::start();
    // The worker's limit is then 1.8 s.
    platform.hold(Duration::from_secs(600));
    let _worker = QueueWorker::start_scaled(50, &platform, &[], &[]);
    platform.wait_for_requests(Route::Take, 4);
    assert!(platform.busiest(Route::Take, SECOND) <= 2);
    // A poll that was given up already would take the job with it.
    platform.wait_for_next(Route::Take);
    platform.submit("a", &health_check());
    assert_eq!(platform.answer("a"), healthy());
    platform.check();
}

#[test]
fn heartbeats_and_stop_polls_survive_every_fault() {
    for route in [Route::Ping, Route::Stop] {
        let platform = Platform::start();
        let faults = [
            Fault::Status(401),
            Fault::Status(500),
            Fault::Reset,
            Fault::Truncated,
            Fault::RetryAfter(429, "1"),
            Fault::Body(b"<html>".to_vec()),
        ];
        let count = faults.len();
        platform.script(route, faults);
        let _worker = QueueWorker::start(&platform);
        platform.wait_for_requests(route, count + 3);
        assert!(platform.busiest(route, SECOND) <= 21, "{route:?}");
        platform.submit("a", &health_check());
        assert_eq!(platform.answer("a"), healthy());
        platform.check();
    }
}
