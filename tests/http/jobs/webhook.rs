//! Telling of a job's end.

use runpod_query::app::ExitCode;
use std::io::Write;
use std::net::TcpStream;
use std::num::NonZeroUsize;
use std::time::Duration;

use serde_json::{Value, json};

use super::{settings_with_webhooks_to, status, submit_with, wait_for};
use crate::support::fake::{FAIL, WAIT, wait_until};
use crate::support::listener::Listener;
use crate::support::server::TestServer;

/// Longer than any test waits.
const NEVER: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// A server that waits for a second before it tries a webhook again.
fn server() -> TestServer {
    let mut settings = settings_with_webhooks_to(&["127.0.0.1"]);
    settings.jobs.webhook_pause_seconds = NonZeroUsize::MIN;
    TestServer::start_with(&settings)
}

/// A server that waits forever before it tries a webhook again, and as long for work that runs when it is stopped.
fn patient_server() -> TestServer {
    let mut settings = settings_with_webhooks_to(&["127.0.0.1", "localhost"]);
    settings.jobs.webhook_pause_seconds = NEVER;
    settings.server.shutdown_grace_seconds = NEVER;
    TestServer::start_with(&settings)
}

/// The next report that a listener gets.
#[track_caller]
fn report(listener: &Listener) -> Value {
    serde_json::from_str(&listener.next().body).unwrap()
}

/// Ends the server, which first posts every report that it still has to.
fn end(server: TestServer) {
    server.begin_stop();
    server.exit_code();
}

fn envelope_for(listener: &Listener, query: &str) -> Value {
    json!({"input": {"query": query}, "webhook": listener.url("/told?key=1")})
}

#[test]
fn the_report_is_posted_when_the_job_has_ended() {
    let server = server();
    let listener = Listener::answering(&[200]);
    for (query, expected) in [("w1", "COMPLETED"), (" ", "FAILED")] {
        let id = submit_with(&server, envelope_for(&listener, query));
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
    let answered = server.post("/runsync", &envelope_for(&listener, "w1").to_string());
    assert_eq!(listener.next().body, answered.text);
}

#[test]
fn a_webhook_that_fails_is_tried_three_times_in_all() {
    let server = server();
    let listener = Listener::answering(&[500]);
    let begin = std::time::Instant::now();
    submit_with(&server, envelope_for(&listener, "w1"));
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
    submit_with(&server, envelope_for(&listener, "w1"));
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

#[test]
fn an_address_that_is_not_public_is_refused_in_every_spelling() {
    let server = TestServer::start_with(&settings_with_webhooks_to(&["10.0.0.1", "localhost"]));
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
        "10.0.0.2",
        "169.254.169.254",
        "192.0.2.1",
    ] {
        let body = json!({"input": {"query": "w1"}, "webhook": format!("http://{host}/secret")});
        for path in ["/run", "/runsync", "/abc/realtime"] {
            let refused = server.post(path, &body.to_string());
            refused.assert_error(
                400,
                "malformed",
                "webhook is an address that is not public; it must be an absolute http or https URL",
            );
            assert!(!refused.text.contains("secret"), "{refused:?}");
            assert!(!refused.text.contains(host), "{refused:?}");
        }
    }
    assert_eq!(server.script.batches(), [[0; 0]; 0]);
}

#[test]
fn a_name_that_leads_to_this_machine_is_not_connected_to() {
    let server = server();
    let listener = Listener::answering(&[200]);
    let webhook = listener.url_at("localhost", "/by-name");
    let envelope = json!({"input": {"query": "w1"}, "webhook": webhook});
    let id = submit_with(&server, envelope);
    wait_for(&server, &id, "COMPLETED");
    submit_with(&server, envelope_for(&listener, "w1"));
    assert!(listener.next().head.starts_with("post /told"));
    end(server);
    assert!(listener.has_no_more());
}

#[test]
fn a_name_that_the_settings_have_is_connected_to() {
    let server = patient_server();
    let listener = Listener::answering(&[200]);
    let webhook = listener.url_at("localhost", "/");
    submit_with(
        &server,
        json!({"input": {"query": "w1"}, "webhook": webhook}),
    );
    assert_eq!(report(&listener)["status"], "COMPLETED");
}

#[test]
fn a_receiver_that_does_not_answer_holds_up_no_other() {
    let server = patient_server();
    let (silent, answering) = (Listener::answering(&[]), Listener::answering(&[200]));
    let webhook = silent.url_at("localhost", "/");
    for _ in 0..80 {
        // An invalid job is reported, too, and needs no model.
        submit_with(
            &server,
            json!({"input": {"query": " "}, "webhook": webhook}),
        );
    }
    silent.next();
    let id = submit_with(&server, envelope_for(&answering, "w1"));
    assert_eq!(report(&answering)["id"], id.as_str());
}

#[test]
fn a_receiver_that_does_not_answer_does_not_hold_up_the_end() {
    let server = patient_server();
    let silent = Listener::answering(&[]);
    submit_with(&server, envelope_for(&silent, "w1"));
    silent.next();
    server.begin_stop();
    assert_eq!(server.exit_code(), ExitCode::SUCCESS);
}

#[test]
fn a_report_that_waits_for_its_next_attempt_has_it_at_the_end() {
    let server = patient_server();
    let listener = Listener::answering(&[500, 200]);
    let id = submit_with(&server, envelope_for(&listener, "w1"));
    assert_eq!(report(&listener)["id"], id.as_str());
    server.begin_stop();
    assert_eq!(report(&listener)["id"], id.as_str());
    server.exit_code();
    assert!(listener.has_no_more());
}

#[test]
fn a_job_that_is_cancelled_or_purged_or_times_out_is_reported() {
    let server = server();
    let listener = Listener::answering(&[200]);
    let running = submit_with(&server, envelope_for(&listener, WAIT));
    server.script.wait_for_batches(1);
    let ended = |id: &str, expected: &str| {
        let report = report(&listener);
        assert_eq!(report["id"], id);
        assert_eq!(report["status"], expected);
        assert_eq!(report, status(&server, id));
    };
    let waiting = submit_with(&server, envelope_for(&listener, "w1"));
    server.post(&format!("/cancel/{waiting}"), "");
    ended(&waiting, "CANCELLED");
    let waiting = submit_with(&server, envelope_for(&listener, "w1"));
    wait_until("the job in the queue", || server.jobs() == (1, 1));
    assert_eq!(server.post("/purge-queue", "").json()["removed"], 1);
    ended(&waiting, "CANCELLED");
    let mut envelope = envelope_for(&listener, "w1");
    envelope["policy"] = json!({"ttl": 1});
    let waiting = submit_with(&server, envelope);
    ended(&waiting, "TIMED_OUT");
    server.post(&format!("/cancel/{running}"), "");
    ended(&running, "CANCELLED");
    // It has ended already.
    server.post(&format!("/cancel/{running}"), "");
    server.script.release();
    end(server);
    assert!(listener.has_no_more());
}

#[test]
fn a_job_whose_caller_disconnects_is_reported_as_cancelled() {
    let server = server();
    let listener = Listener::answering(&[200]);
    let body = envelope_for(&listener, WAIT).to_string();
    let address = server.url("").replace("http://", "");
    let mut caller = TcpStream::connect(&address).unwrap();
    let head = format!(
        "POST /runsync HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    caller
        .write_all(format!("{head}{body}").as_bytes())
        .unwrap();
    server.script.wait_for_batches(1);
    drop(caller);
    let report = report(&listener);
    assert_eq!(report["status"], "CANCELLED");
    assert_eq!(status(&server, report["id"].as_str().unwrap()), report);
    server.script.release();
}

#[test]
fn a_request_that_is_answered_with_an_error_is_not_reported() {
    let server = server();
    let listener = Listener::answering(&[200]);
    let answer = server.post("/runsync", &envelope_for(&listener, FAIL).to_string());
    answer.assert_error(500, "internal", "the server failed");
    end(server);
    assert!(listener.has_no_more());
}
