//! Limits of time, number and memory, and envelopes that ask for impossible ones.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde_json::json;

use super::{settings_with_webhooks_to, status, submit, submit_with, wait_for};
use crate::support::fake::{WAIT, wait_until};
use crate::support::server::{TestServer, settings};

#[test]
fn a_job_that_runs_longer_than_its_policy_allows_is_timed_out() {
    let server = TestServer::start();
    let policy = json!({"executionTimeout": 50, "ttl": 60000});
    let id = submit_with(&server, json!({"input": {"query": WAIT}, "policy": policy}));
    let job = wait_for(&server, &id, "TIMED_OUT");
    assert_eq!(job["error"], "timeout: the job ran for longer than 50 ms");
    assert!(job["executionTime"].as_u64().unwrap() >= 50, "{job}");
    assert_eq!(server.get("/health").json()["jobs"]["failed"], 1);
    server.script.release();
}

#[test]
fn the_time_in_the_queue_counts_for_the_ttl_and_not_for_the_execution() {
    let server = TestServer::start();
    let running = submit(&server, &json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let with = |policy: serde_json::Value| {
        submit_with(&server, json!({"input": {"query": "w1"}, "policy": policy}))
    };
    // One waits for longer than it may run, and then has all of that time to run.
    let patient = with(json!({"executionTimeout": 2000}));
    let impatient = with(json!({"ttl": 2500}));
    let job = wait_for(&server, &impatient, "TIMED_OUT");
    assert_eq!(
        job["error"],
        "timeout: the job did not end within its ttl of 2500 ms"
    );
    assert_eq!(job["executionTime"], 0);
    assert_eq!(status(&server, &patient)["status"], "IN_QUEUE");
    server.script.release();
    wait_for(&server, &patient, "COMPLETED");
    wait_for(&server, &running, "COMPLETED");
}

#[test]
fn the_request_timeout_does_not_end_an_asynchronous_job() {
    let mut settings = settings();
    settings.server.request_timeout_seconds = NonZeroUsize::MIN;
    let server = TestServer::start_with(&settings);
    let id = submit(&server, &json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(status(&server, &id)["status"], "IN_PROGRESS");
    server.script.release();
    wait_for(&server, &id, "COMPLETED");
}

#[test]
fn a_policy_holds_for_runsync_too() {
    let server = TestServer::start();
    let envelope = json!({"input": {"query": WAIT}, "policy": {"executionTimeout": 50}});
    let answer = server.post("/runsync", &envelope.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["status"], "TIMED_OUT");
    server.script.release();
}

#[test]
fn a_job_rejected_by_a_full_queue_waits_for_room() {
    let mut settings = settings();
    settings.engine.queue_texts = NonZeroUsize::MIN;
    let server = TestServer::start_with(&settings);
    let running = submit(&server, &json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let ids: Vec<_> = (0..3)
        .map(|number| submit(&server, &json!({"query": format!("w{number}")})))
        .collect();
    wait_until("the jobs to be counted", || server.jobs() == (3, 1));
    server.script.release();
    for id in ids.iter().chain([&running]) {
        wait_for(&server, id, "COMPLETED");
    }
    assert_eq!(server.get("/health").json()["jobs"]["failed"], 0);
}

#[test]
fn a_full_table_is_overloaded() {
    let mut settings = settings();
    settings.jobs.memory_bytes = NonZeroUsize::new(3000).unwrap();
    let server = TestServer::start_with(&settings);
    let ids: Vec<_> = (0..2)
        .map(|_| submit(&server, &json!({"query": WAIT})))
        .collect();
    let refused = server.post("/run", r#"{"input":{"query":"w1"}}"#);
    refused.assert_error(429, "overloaded", "try again");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(server.run(json!({"query": "w1"})).status, 429);
    // One batch or two: it depends on when the second came.
    server.script.release();
    server.script.release();
    for id in &ids {
        wait_for(&server, id, "COMPLETED");
    }
    assert_eq!(
        server.run(json!({"query": "w1"})).json()["status"],
        "COMPLETED"
    );
}

#[test]
fn the_webhook_address_counts_towards_the_memory_limit_and_has_a_maximum_length() {
    let mut settings = settings_with_webhooks_to(&["127.0.0.1"]);
    settings.jobs.memory_bytes = NonZeroUsize::new(5000).unwrap();
    let server = TestServer::start_with(&settings);
    let job = |length: usize| {
        let webhook = format!("{:a<length$}", "http://127.0.0.1:1/");
        json!({"input": {"query": WAIT}, "webhook": webhook})
    };
    submit_with(&server, job(2048));
    let refused = server.post("/run", &job(2048).to_string());
    refused.assert_error(429, "overloaded", "try again");
    let refused = server.post("/run", &job(2049).to_string());
    refused.assert_error(
        400,
        "malformed",
        "webhook is 2049 bytes long; it must be an absolute http or https URL of at most 2048 bytes",
    );
    server.script.release();
}

#[test]
fn results_are_kept_within_the_bounds_of_memory() {
    let mut settings = settings();
    settings.jobs.memory_bytes = NonZeroUsize::new(12_000).unwrap();
    let server = TestServer::start_with(&settings);
    let ids: Vec<String> = (0..30)
        .map(|number| {
            let job = server.run(json!({"query": format!("w{number}")})).json();
            job["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let kept: Vec<bool> = ids
        .iter()
        .map(|id| server.get(&format!("/status/{id}")).status == 200)
        .collect();
    let count = kept.iter().filter(|kept| **kept).count();
    assert!((5..=11).contains(&count), "{count}");
    assert!(kept[30 - count..].iter().all(|kept| *kept), "{kept:?}");
}

#[test]
fn a_result_is_forgotten_when_its_time_is_over() {
    let mut settings = settings();
    settings.jobs.result_seconds = NonZeroUsize::MIN;
    let server = TestServer::start_with(&settings);
    // It is not looked up before: that may take longer than it is kept.
    let id = submit(&server, &json!({"query": "w1"}));
    wait_until("the result to be forgotten", || {
        server.get(&format!("/status/{id}")).status == 404
    });
}

#[test]
fn a_reader_may_have_a_result_forgotten_earlier() {
    let server = TestServer::start();
    let id = submit(&server, &json!({"query": "w1"}));
    wait_for(&server, &id, "COMPLETED");
    assert_eq!(server.get(&format!("/status/{id}?ttl=100")).status, 200);
    std::thread::sleep(Duration::from_millis(100));
    server
        .get(&format!("/status/{id}"))
        .assert_error(404, "not_found", "no such job");
}

#[test]
fn an_envelope_or_a_parameter_out_of_bounds_is_malformed() {
    let server = TestServer::start();
    for (path, body, words) in [
        (
            "/run",
            r#"{"input":{"query":"w1"},"webhook":"ftp://secret"}"#,
            "webhook is something else; it must be an absolute http or https URL",
        ),
        (
            "/run",
            r#"{"input":{"query":"w1"},"webhook":"https://secret:secret@example.com/"}"#,
            "webhook is a URL with credentials",
        ),
        (
            "/runsync",
            r#"{"input":{"query":"w1"},"webhook":7}"#,
            "webhook is a number",
        ),
        (
            "/run",
            r#"{"input":{"query":"w1"},"policy":{"ttl":0}}"#,
            "policy.ttl is 0; it must be a whole number of milliseconds from 1 to 604800000",
        ),
        (
            "/runsync?wait=999",
            r#"{"input":{"query":"w1"}}"#,
            "wait is \"999\"; it must be a whole number of milliseconds from 1000 to 300000",
        ),
        ("/status/a?ttl=soon", "", "ttl is \"soon\""),
        ("/run", "{}", "input is missing"),
    ] {
        let answer = server.post(path, body);
        answer.assert_error(400, "malformed", words);
        assert!(!answer.text.contains("secret"));
    }
}
