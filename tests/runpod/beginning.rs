//! How a worker begins, and what keeps it from that.

use std::time::Duration;

use serde_json::json;

use super::{health_check, healthy};
use crate::support::platform::{Platform, QueueWorker, Route};

#[test]
fn a_worker_whose_model_cannot_be_loaded_says_so_once_and_ends_with_a_failure() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    let arguments = ["--model-directory", "/nowhere/at/all"];
    let mut worker = QueueWorker::start_without_model(&platform, &arguments);
    assert_eq!(worker.served.wait().code(), Some(1));
    let pings = platform.requests(Route::Ping);
    assert_eq!(pings.len(), 1);
    assert_eq!(pings[0].parameter("status").unwrap(), "unhealthy");
    assert_eq!(pings[0].parameter("check").unwrap(), "model");
    let reason = pings[0].parameter("reason").unwrap();
    assert!(
        reason.contains("/nowhere/at/all") && reason.len() <= 256,
        "{reason}"
    );
    assert!(platform.requests(Route::Take).is_empty());
}

#[test]
fn a_worker_that_cannot_answer_does_not_begin() {
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
fn what_runpod_says_in_other_numbers_keeps_no_worker_from_its_work() {
    for (value, is_told) in [("1000.5", false), ("soon", true)] {
        let platform = Platform::start();
        platform.submit("a", &health_check());
        let variables = [("RUNPOD_PING_INTERVAL", value)];
        let mut worker = QueueWorker::start_with(&platform, &[], &variables);
        assert_eq!(platform.answer("a"), healthy());
        worker.served.signal("TERM");
        worker.served.wait();
        let log = worker.served.log();
        assert_eq!(log.contains("RUNPOD_PING_INTERVAL"), is_told, "{log}");
    }
}

#[test]
fn arguments_that_nobody_knows_do_not_keep_a_worker_from_its_work() {
    let platform = Platform::start();
    platform.submit("a", &health_check());
    let _worker = QueueWorker::start_with(&platform, &["--new", "value", "-x=1"], &[]);
    assert_eq!(platform.answer("a"), healthy());
    platform.check();
}

#[test]
fn who_is_to_serve_over_http_leaves_the_queue_alone() {
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
