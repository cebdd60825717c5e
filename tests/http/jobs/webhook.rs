//! Telling of a job's end.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde_json::{Value, json};

use super::{status, submit_with, wait_for};
use crate::support::listener::Listener;
use crate::support::server::{TestServer, settings};

/// A server that waits for a second before it tries a webhook again.
fn server() -> TestServer {
    let mut settings = settings();
    settings.jobs.webhook_pause_seconds = NonZeroUsize::MIN;
    TestServer::start_with(&settings)
}

/// Ends the server, which first posts every report that it still has to.
fn end(server: TestServer) {
    server.begin_stop();
    server.exit_code();
}

fn envelope(query: &str, listener: &Listener) -> Value {
    json!({"input": {"query": query}, "webhook": listener.url("/told?key=1")})
}

#[test]
fn the_report_is_posted_when_the_job_has_ended() {
    let server = server();
    let listener = Listener::answering(&[200]);
    for (query, expected) in [("w1", "COMPLETED"), (" ", "FAILED")] {
        let id = submit_with(&server, envelope(query, &listener));
        let received = listener.next();
        assert!(
            received.head.starts_with("post /told?key=1 http/1.1"),
            "{received:?}"
        );
        assert!(
            received.head.contains("content-type: application/json"),
            "{received:?}"
        );
        let report: Value = serde_json::from_str(&received.body).unwrap();
        assert_eq!(report["status"], expected);
        assert_eq!(report, status(&server, &id));
    }
}

#[test]
fn runsync_tells_too() {
    let server = server();
    let listener = Listener::answering(&[200]);
    let answered = server.post("/runsync", &envelope("w1", &listener).to_string());
    assert_eq!(listener.next().body, answered.text);
}

#[test]
fn a_webhook_that_fails_is_tried_three_times_in_all() {
    let server = server();
    let listener = Listener::answering(&[500]);
    let begin = std::time::Instant::now();
    submit_with(&server, envelope("w1", &listener));
    let bodies = [listener.next(), listener.next(), listener.next()].map(|told| told.body);
    assert!(begin.elapsed() >= Duration::from_secs(2));
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    end(server);
    assert!(listener.has_no_more());
}

#[test]
fn a_webhook_is_called_once_if_it_answers() {
    let server = server();
    let listener = Listener::answering(&[302, 204]);
    submit_with(&server, envelope("w1", &listener));
    listener.next();
    listener.next();
    end(server);
    assert!(listener.has_no_more());
}

#[test]
fn an_unreachable_webhook_does_not_affect_the_job() {
    let server = server();
    let webhook = "http://127.0.0.1:1/";
    let id = submit_with(
        &server,
        json!({"input": {"query": "w1"}, "webhook": webhook}),
    );
    wait_for(&server, &id, "COMPLETED");
}
