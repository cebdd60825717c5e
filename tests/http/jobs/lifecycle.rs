//! From `/run` to a result.

use runpod_query::app::ExitCode;
use serde_json::json;

use super::{status, submit, wait_for};
use crate::support::fake::{FAIL, WAIT, wait_until};
use crate::support::server::{TestServer, settings};

#[test]
fn a_job_runs_asynchronously_and_its_result_can_be_fetched_more_than_once() {
    let server = TestServer::start();
    let id = submit(&server, &json!({"query": "w5 w6"}));
    assert!(id.ends_with("-u1"), "{id}");
    let job = wait_for(&server, &id, "COMPLETED");
    let expected = server.run(json!({"query": "w5 w6"})).json();
    assert_eq!(job["output"], expected["output"]);
    let answer = server.get(&format!("/v2/abc/status/{id}"));
    assert_eq!(
        answer.fields(),
        ["delayTime", "executionTime", "id", "output", "status"]
    );
    assert_eq!(answer.json()["id"], id);
}

#[test]
fn a_job_is_in_the_queue_until_the_model_takes_it() {
    let server = TestServer::start();
    let running = submit(&server, &json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let waiting = submit(&server, &json!({"query": "w1"}));
    let running_now = status(&server, &running);
    assert_eq!(running_now["status"], "IN_PROGRESS");
    assert!(running_now["delayTime"].is_u64());
    assert_eq!(
        status(&server, &waiting),
        json!({"id": waiting, "status": "IN_QUEUE"})
    );
    wait_until("both to be counted", || server.jobs() == (1, 1));
    server.script.release();
    wait_for(&server, &running, "COMPLETED");
    wait_for(&server, &waiting, "COMPLETED");
}

#[test]
fn post_answers_as_get_does() {
    let server = TestServer::start();
    let id = submit(&server, &json!({"query": "w1"}));
    let got = wait_for(&server, &id, "COMPLETED");
    assert_eq!(server.post(&format!("/status/{id}"), "").json(), got);
    let stream = server.post(&format!("/v2/abc/stream/{id}"), "").json();
    assert_eq!(
        stream,
        json!({"id": id, "status": "COMPLETED", "stream": [{"output": got["output"]}]})
    );
}

#[test]
fn a_failed_job_says_why() {
    let server = TestServer::start();
    for (input, error) in [
        (json!({"query": " "}), "invalid: query is blank"),
        (
            json!({"query": FAIL}),
            "internal: the server failed; its log says why",
        ),
    ] {
        let id = submit(&server, &input);
        let job = wait_for(&server, &id, "FAILED");
        assert_eq!(job["error"], error);
        let stream = server.get(&format!("/stream/{id}")).json();
        assert_eq!(
            stream,
            json!({"id": id, "status": "FAILED", "stream": [], "error": error})
        );
    }
}

#[test]
fn a_job_handed_in_while_the_model_loads_waits_for_it() {
    let server = TestServer::start_loading(&settings());
    let id = submit(&server, &json!({"query": "w1"}));
    assert_eq!(status(&server, &id)["status"], "IN_QUEUE");
    wait_until("the job to be counted", || server.jobs() == (1, 0));
    server.finish_loading(Ok(()));
    let job = wait_for(&server, &id, "COMPLETED");
    assert!(job["delayTime"].as_u64().unwrap() > 0, "{job}");
    assert_eq!(server.get("/health").json()["jobs"]["failed"], 0);
}

#[test]
fn an_unknown_job_is_not_found() {
    let server = TestServer::start();
    for path in [
        "/status/nothing",
        "/stream/nothing",
        "/v2/abc/status/nothing",
        "/status/%ff",
    ] {
        server
            .get(path)
            .assert_error(404, "not_found", "no such job");
    }
    for path in ["/cancel/nothing", "/retry/nothing", "/status/nothing"] {
        server
            .post(path, "")
            .assert_error(404, "not_found", "no such job");
    }
}

#[test]
fn a_result_of_runsync_can_be_looked_up_by_its_name() {
    let server = TestServer::start();
    let answered = server.run(json!({"query": "w1"})).json();
    let id = answered["id"].as_str().unwrap();
    assert_eq!(status(&server, id), answered);
}

#[test]
fn runsync_returns_an_unfinished_job_after_its_wait() {
    let server = TestServer::start();
    submit(&server, &json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let answer = server.post("/runsync?wait=1000", r#"{"input":{"query":"w1"}}"#);
    assert_eq!(answer.status, 200, "{answer:?}");
    let job = answer.json();
    assert_eq!(job["status"], "IN_QUEUE");
    server.script.release();
    wait_for(&server, job["id"].as_str().unwrap(), "COMPLETED");
    let answer = server.post("/runsync?wait=300000", r#"{"input":{"query":"w1"}}"#);
    assert_eq!(answer.json()["status"], "COMPLETED");
}

#[test]
fn stopping_finishes_asynchronous_jobs() {
    let listener = crate::support::listener::Listener::answering(&[200]);
    let server = TestServer::start_with(&super::settings_with_webhooks_to(&["127.0.0.1"]));
    let envelope = json!({"input": {"query": WAIT}, "webhook": listener.url("/")});
    super::submit_with(&server, envelope);
    server.script.wait_for_batches(1);
    server.begin_stop();
    server.script.release();
    assert!(listener.next().body.contains("COMPLETED"));
    assert_eq!(server.exit_code(), ExitCode::SUCCESS);
}
