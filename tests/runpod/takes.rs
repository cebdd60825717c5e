//! Taking jobs from a platform with faults: polling continues, and never too often.

use std::time::{Duration, Instant};

use super::{health_check, healthy};
use crate::support::platform::{Fault, Platform, QueueWorker, Route};

/// Consecutive faults: enough to tell backoff from no pause.
const TIMES: usize = 200;
const SECOND: Duration = Duration::from_secs(1);

/// Makes every take fail for a second and returns the most takes in any second.
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
fn polling_continues_after_any_response_and_not_too_often() {
    // Pauses are a tenth of the real ones, so the rates are ten times the real ones.
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
fn polling_backs_off_while_the_platform_is_unreachable() {
    let platform = Platform::start();
    let take = "http://127.0.0.1:1/v2/endpoint-1/job-take/$ID";
    let begin = Instant::now();
    let mut worker = QueueWorker::start_with(&platform, &[], &[("RUNPOD_WEBHOOK_GET_JOB", take)]);
    platform.wait_for_requests(Route::Ping, 5);
    worker.served.wait_for_log("take failed");
    assert_eq!(worker.served.ping(), 200);
    worker.served.stop();
    let failures = worker.served.log().matches("take failed").count();
    // Within the first second the pauses grow to at least a quarter of a second.
    let most = 10 + 4 * begin.elapsed().as_secs() as usize;
    assert!((1..=most).contains(&failures), "{failures}, at most {most}");
}

#[test]
fn a_slow_response_or_one_with_a_wrong_content_type_still_delivers_its_job() {
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
fn a_poll_that_is_held_too_long_times_out_and_is_repeated() {
    let platform = Platform::start();
    // The worker's limit is 1.8 s with this divisor.
    platform.hold(Duration::from_secs(600));
    let _worker = QueueWorker::start_scaled(50, &platform, &[], &[]);
    platform.wait_for_requests(Route::Take, 4);
    assert!(platform.busiest(Route::Take, SECOND) <= 2);
    // The job must not be delivered to a poll that has already timed out.
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
