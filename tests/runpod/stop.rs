//! Jobs that the platform stops.

use super::{health_check, healthy, longer_job};
use crate::support::platform::{Fault, Platform, QueueWorker, Route};

const ONE_AT_A_TIME: (&str, &str) = ("RUNPOD_MAX_CONCURRENCY", "1");

#[test]
fn a_running_job_that_is_stopped_is_never_answered_and_the_next_one_starts() {
    let platform = Platform::start();
    platform.submit("unwanted", &longer_job());
    platform.submit("next", &health_check());
    let _worker = QueueWorker::start_with(&platform, &[], &[ONE_AT_A_TIME]);
    platform.wait_until_named("unwanted");
    platform.stop_jobs(&["unwanted", "unknown"]);
    assert_eq!(platform.answer("next"), healthy());
    let stops = platform.requests(Route::Stop);
    assert_eq!(stops[0].path, "/v2/endpoint-1/job-stop/pod-1");
    platform.wait_until_nothing_is_named();
    platform.check();
}

#[test]
fn the_result_of_a_stopped_job_is_not_posted() {
    let platform = Platform::start();
    platform.script(Route::Post, vec![Fault::Status(500); 1_000]);
    platform.submit("a", &health_check());
    let _worker = QueueWorker::start(&platform);
    platform.wait_for_requests(Route::Post, 3);
    platform.stop_jobs(&["a"]);
    platform.wait_until_nothing_is_named();
    platform.wait_for_requests(Route::Stop, platform.requests(Route::Stop).len() + 2);
    let posts = platform.posts("a").len();
    platform.recover();
    platform.submit("b", &health_check());
    assert_eq!(platform.answer("b"), healthy());
    assert_eq!(platform.posts("a").len(), posts);
}
