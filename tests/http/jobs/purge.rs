//! Taking jobs back and trying them again.

use serde_json::json;

use super::{status, submit, submit_with, wait_for};
use crate::support::fake::{WAIT, wait_until};
use crate::support::server::TestServer;

#[test]
fn a_queued_job_is_cancelled_before_it_runs() {
    let server = TestServer::start();
    let running = submit(&server, &json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let waiting = submit(&server, &json!({"query": "w1 w2 w3"}));
    wait_until("the job in the queue", || server.jobs() == (1, 1));
    let answer = server.post(&format!("/cancel/{waiting}"), "").json();
    assert_eq!(answer, json!({"id": waiting, "status": "CANCELLED"}));
    wait_until("the queue to be empty", || server.jobs() == (0, 1));
    server.script.release();
    wait_for(&server, &running, "COMPLETED");
    let job = status(&server, &waiting);
    assert_eq!(job["status"], "CANCELLED");
    assert!(job.get("output").is_none() && job.get("error").is_none());
    assert_eq!(server.script.batches(), [[1]]);
}

#[test]
fn cancelling_a_running_job_drops_its_result() {
    let server = TestServer::start();
    let id = submit(&server, &json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    server.post(&format!("/v2/abc/cancel/{id}"), "");
    server.script.release();
    assert_eq!(
        server.run(json!({"query": "w1"})).json()["status"],
        "COMPLETED"
    );
    assert_eq!(status(&server, &id)["status"], "CANCELLED");
}

#[test]
fn a_job_that_has_ended_stays_as_it_is() {
    let server = TestServer::start();
    let id = submit(&server, &json!({"query": "w1"}));
    wait_for(&server, &id, "COMPLETED");
    let answer = server.post(&format!("/cancel/{id}"), "").json();
    assert_eq!(answer, json!({"id": id, "status": "COMPLETED"}));
}

#[test]
fn purging_cancels_queued_jobs_and_leaves_running_ones() {
    let server = TestServer::start();
    let running = submit(&server, &json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let waiting = [1, 2, 3].map(|number| submit(&server, &json!({"query": format!("w{number}")})));
    let answer = server.post("/purge-queue", "").json();
    assert_eq!(answer, json!({"removed": 3, "status": "completed"}));
    for id in &waiting {
        assert_eq!(status(&server, id)["status"], "CANCELLED");
    }
    assert_eq!(server.post("/v2/abc/purge-queue", "").json()["removed"], 0);
    server.script.release();
    wait_for(&server, &running, "COMPLETED");
    assert_eq!(server.script.batches(), [[1]]);
}

#[test]
fn a_job_that_timed_out_can_be_tried_again_under_its_name() {
    let server = TestServer::start();
    // Enough for the second try, which waits for nothing.
    let policy = json!({"executionTimeout": 2000});
    let id = submit_with(&server, json!({"input": {"query": WAIT}, "policy": policy}));
    wait_for(&server, &id, "TIMED_OUT");
    server.script.release();
    // The text waits once more, for as long as the first time.
    server.script.release();
    let answer = server.post(&format!("/retry/{id}"), "").json();
    assert_eq!(answer, json!({"id": id, "status": "IN_QUEUE"}));
    wait_for(&server, &id, "COMPLETED");
    assert_eq!(server.get("/health").json()["jobs"]["retried"], 1);
    server.post(&format!("/retry/{id}"), "").assert_error(
        409,
        "conflict",
        "the job is COMPLETED; only a job that is FAILED or TIMED_OUT can be retried",
    );
}

#[test]
fn a_caller_whose_job_is_purged_learns_of_it() {
    let server = TestServer::start();
    let running = server.run_beside(json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let waiting = server.run_beside(json!({"query": "w1"}));
    wait_until("the job in the queue", || server.jobs() == (1, 1));
    assert_eq!(server.post("/purge-queue", "").json()["removed"], 1);
    assert_eq!(waiting.join().unwrap().json()["status"], "CANCELLED");
    server.script.release();
    assert_eq!(running.join().unwrap().json()["status"], "COMPLETED");
}
