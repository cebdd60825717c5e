//! From the first moment to the last.

use std::num::NonZeroUsize;
use std::time::Duration;

use runpod_query::app::ExitCode;
use serde_json::json;

use crate::support::fake::{WAIT, wait_until};
use crate::support::server::{TestServer, send, settings};

#[test]
fn while_the_model_loads_the_probe_says_so_and_jobs_are_rejected() {
    let server = TestServer::start_loading(&settings());
    let ping = server.get("/ping");
    assert_eq!((ping.status, ping.text.as_str()), (204, ""));
    for input in [json!({"query": "w1"}), json!({"action": "health_check"})] {
        let answer = server.run(input);
        answer.assert_error(503, "unavailable", "the model is still loading");
        assert_eq!(answer.header("retry-after"), "1");
    }
    let health = server.get("/health").json();
    assert_eq!(health["workers"]["initializing"], 1);
    assert_eq!(health["workers"]["ready"], 0);
    assert!(health.get("model").is_none());
    assert_eq!(server.get("/docs/").status, 200);
    server.finish_loading(Ok(()));
    wait_until("the server to be ready", || {
        server.get("/ping").status == 200
    });
    assert_eq!(
        server.run(json!({"query": "w1"})).json()["status"],
        "COMPLETED"
    );
}

#[test]
fn a_model_that_cannot_be_loaded_ends_the_program_with_a_failure() {
    let server = TestServer::start_loading(&settings());
    server.finish_loading(Err("no such model".to_owned()));
    assert_eq!(server.exit_code(), ExitCode::FAILURE);
}

#[test]
fn a_stop_while_the_model_loads_is_a_success_and_does_not_wait_for_it() {
    let mut settings = settings();
    settings.server.shutdown_grace_seconds = NonZeroUsize::new(600).unwrap();
    let server = TestServer::start_loading(&settings);
    server.begin_stop();
    assert_eq!(server.exit_code(), ExitCode::SUCCESS);
}

/// What the probe says on a connection of its own; nothing where nobody listens.
fn probe(server: &TestServer) -> Option<u16> {
    let client = reqwest::blocking::Client::builder()
        .no_proxy()
        .build()
        .unwrap();
    let answer = client.get(server.url("/ping")).send().ok()?;
    Some(answer.status().as_u16())
}

#[test]
fn while_an_asynchronous_job_runs_the_probe_reports_the_shutdown_and_the_job_can_be_looked_up() {
    let server = TestServer::start();
    let body = json!({"input": {"query": WAIT}}).to_string();
    let id = server.post("/run", &body).json()["id"].clone();
    server.script.wait_for_batches(1);
    server.begin_stop();
    wait_until("the probe to tell of the stop", || {
        probe(&server) == Some(503)
    });
    let status = server.get(&format!("/status/{}", id.as_str().unwrap()));
    assert_eq!(status.json()["status"], "IN_PROGRESS");
    server.script.release();
    assert_eq!(server.exit_code(), ExitCode::SUCCESS);
}

#[test]
fn requests_that_keep_coming_do_not_hold_up_the_end() {
    let mut settings = settings();
    settings.server.shutdown_grace_seconds = NonZeroUsize::new(8).unwrap();
    let server = TestServer::start_with(&settings);
    let running = server.run_beside(json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    server.begin_stop();
    wait_until("new connections to be refused", || probe(&server).is_none());
    // There is still time for the answer.
    server.script.release();
    assert_eq!(running.join().unwrap().json()["status"], "COMPLETED");
    assert_eq!(server.exit_code(), ExitCode::SUCCESS);
}

#[test]
fn while_a_stop_lets_requests_end_the_probe_tells_of_it_to_new_connections() {
    let server = TestServer::start();
    let running = server.run_beside(json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let waiting = server.run_beside(json!({"query": "w7"}));
    wait_until("a job in the queue", || server.jobs() == (1, 1));
    server.begin_stop();
    wait_until("the probe to tell of the stop", || {
        probe(&server) == Some(503)
    });
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(probe(&server), Some(503));
    server.script.release();
    assert_eq!(running.join().unwrap().json()["status"], "COMPLETED");
    assert_eq!(waiting.join().unwrap().json()["status"], "COMPLETED");
    assert_eq!(server.exit_code(), ExitCode::SUCCESS);
}

#[test]
fn callers_that_still_wait_after_the_grace_period_are_answered_unavailable() {
    let mut settings = settings();
    settings.server.shutdown_grace_seconds = NonZeroUsize::MIN;
    let server = TestServer::start_with(&settings);
    let post = |route: &str, body: &str| {
        let request = server.client.post(server.url(route));
        let request = request.header("content-type", "application/json");
        let request = request.body(body.to_owned());
        std::thread::spawn(move || send(request))
    };
    let job = json!({"input": {"query": WAIT}}).to_string();
    let running = post("/runsync", &job);
    server.script.wait_for_batches(1);
    let other = json!({"input": {"query": "w2"}}).to_string();
    let waiting = post("/runsync?wait=300000", &other);
    wait_until("a job in the queue", || server.jobs() == (1, 1));
    let openai = post("/v1/embeddings", r#"{"input": "w1"}"#);
    wait_until("another", || server.jobs() == (2, 1));
    server.begin_stop();
    for caller in [running, waiting] {
        let answer = caller.join().unwrap();
        answer.assert_error(503, "unavailable", "the server is shutting down");
    }
    assert_eq!(openai.join().unwrap().status, 503);
    assert_eq!(server.exit_code(), ExitCode::SUCCESS);
}
