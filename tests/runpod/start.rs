//! The start of a worker, and what prevents it.

use std::time::Duration;

use serde_json::json;

use super::{health_check, healthy};
use crate::support::platform::{Platform, QueueWorker, Route};

#[test]
fn a_worker_that_cannot_post_results_does_not_start() {
    let platform = Platform::start();
    for (variable, value) in [
        ("RUNPOD_WEBHOOK_POST_OUTPUT", ""),
        ("RUNPOD_WEBHOOK_POST_OUTPUT", "JOB_DONE_URL"),
        ("RUNPOD_WEBHOOK_GET_JOB", "secret"),
        ("RUNPOD_WEBHOOK_PING", "PING_NOT_SET"),
        ("RUNPOD_AI_API_KEY", "secret\u{1}"),
    ] {
        let output = QueueWorker::failing(&platform, &[(variable, value)]);
        assert_eq!(output.status.code(), Some(1), "{variable}");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains(variable), "{variable}: {message}");
        assert!(message.contains("worker."), "{variable}: {message}");
        assert!(!message.contains("secret"), "{variable}: {message}");
    }
}

#[test]
fn an_unusable_number_from_runpod_does_not_stop_a_worker() {
    for (value, is_logged) in [("1000.5", false), ("soon", true)] {
        let platform = Platform::start();
        platform.submit("a", &health_check());
        let variables = [("RUNPOD_PING_INTERVAL", value)];
        let mut worker = QueueWorker::start_with(&platform, &[], &variables);
        assert_eq!(platform.answer("a"), healthy());
        worker.served.signal("TERM");
        worker.served.wait();
        let log = worker.served.log();
        assert_eq!(log.contains("RUNPOD_PING_INTERVAL"), is_logged, "{log}");
    }
}

#[test]
fn unknown_arguments_do_not_stop_a_worker() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    let _worker = QueueWorker::start_with(&platform, &["--new", "value", "-x=1"], &[]);
    assert_eq!(platform.answer("a"), healthy());
    platform.check();
}

#[test]
fn a_server_that_is_told_to_use_http_takes_no_jobs_from_the_queue() {
    for (arguments, variables) in [
        (&["--rp_serve_api"][..], &[][..]),
        (&[], &[("RUNPOD_REALTIME_PORT", "1")]),
    ] {
        let platform = Platform::start();
        platform.submit("a", &health_check());
        let worker = QueueWorker::start_with(&platform, arguments, variables);
        worker.served.wait_for_status(200);
        std::thread::sleep(Duration::from_millis(200));
        assert!(platform.requests(Route::Take).is_empty(), "{arguments:?}");
        assert!(platform.requests(Route::Ping).is_empty(), "{arguments:?}");
    }
}

#[test]
fn without_a_key_no_key_is_sent() {
    let platform = Platform::start();
    platform.submit("a", &json!({"action": "health_check"}));
    let _worker = QueueWorker::start_with(&platform, &[], &[("RUNPOD_AI_API_KEY", "")]);
    assert_eq!(platform.answer("a"), healthy());
    platform.wait_for_requests(Route::Ping, 1);
    for route in [Route::Take, Route::Post, Route::Ping] {
        assert_eq!(platform.requests(route)[0].header("authorization"), None);
    }
}
