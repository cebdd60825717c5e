//! `/stream`: it is held until the job ends, for a short time.

use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::{Value, json};

use super::{status, submit, wait_for};
use crate::support::fake::{WAIT, wait_until};
use crate::support::server::{TestServer, send};

/// By then a request has usually arrived.
const ARRIVAL: Duration = Duration::from_millis(100);

/// A job that runs until it is released.
fn running(server: &TestServer) -> String {
    let id = submit(server, &json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    id
}

/// Asks on another thread. What the tests expect holds whenever the request arrives.
fn ask(server: &TestServer, id: &str) -> JoinHandle<Value> {
    let request = server.client.get(server.url(&format!("/stream/{id}")));
    let asking = spawn(move || send(request).json());
    std::thread::sleep(ARRIVAL);
    asking
}

#[test]
fn the_request_that_waits_gets_the_output_and_no_other_does() {
    let server = TestServer::start();
    let id = running(&server);
    let waiting = ask(&server, &id);
    server.script.release();
    let first = waiting.join().unwrap();
    let output = status(&server, &id)["output"].clone();
    assert_eq!(
        first,
        json!({"id": id, "status": "COMPLETED", "stream": [{"output": output}]})
    );
    assert_eq!(
        server.get(&format!("/stream/{id}")).json(),
        json!({"id": id, "status": "COMPLETED", "stream": []})
    );
}

#[test]
fn of_several_requests_that_wait_one_gets_the_output() {
    let server = TestServer::start();
    let id = running(&server);
    let waiting: Vec<_> = (0..4).map(|_| ask(&server, &id)).collect();
    server.script.release();
    let answers: Vec<Value> = waiting.into_iter().map(|one| one.join().unwrap()).collect();
    assert!(answers.iter().all(|answer| answer["status"] == "COMPLETED"));
    let outputs = answers
        .iter()
        .map(|answer| answer["stream"].as_array().unwrap().len());
    assert_eq!(outputs.sum::<usize>(), 1, "{answers:?}");
}

#[test]
fn a_request_that_has_waited_long_enough_says_where_the_job_is() {
    let server = TestServer::start();
    let id = running(&server);
    assert_eq!(
        server.get(&format!("/stream/{id}")).json(),
        json!({"id": id, "status": "IN_PROGRESS", "stream": []})
    );
    server.script.release();
    wait_for(&server, &id, "COMPLETED");
}

#[test]
fn a_job_that_is_cancelled_ends_the_wait() {
    let server = TestServer::start();
    let id = running(&server);
    let waiting = ask(&server, &id);
    server.post(&format!("/cancel/{id}"), "");
    assert_eq!(
        waiting.join().unwrap(),
        json!({"id": id, "status": "CANCELLED", "stream": []})
    );
    server.script.release();
}

#[test]
fn a_client_that_disconnects_takes_no_output_along() {
    let server = TestServer::start();
    let impatient = Client::builder().no_proxy().timeout(ARRIVAL);
    let impatient = impatient.build().unwrap();
    let outputs = || {
        let batches = server.script.batches().len();
        let id = submit(&server, &json!({"query": WAIT}));
        server.script.wait_for_batches(batches + 1);
        let path = format!("/stream/{id}");
        let left = impatient.get(server.url(&path)).send();
        assert!(left.unwrap_err().is_timeout());
        server.script.release();
        wait_for(&server, &id, "COMPLETED");
        server.get(&path).json()["stream"].as_array().unwrap().len()
    };
    // The server may learn of the disconnect only after the job has ended.
    wait_until("an output for the next client", || outputs() == 1);
}

#[test]
fn a_stop_ends_the_wait_before_the_job_ends() {
    let server = TestServer::start();
    let id = running(&server);
    let waiting = ask(&server, &id);
    server.begin_stop();
    assert_eq!(
        waiting.join().unwrap(),
        json!({"id": id, "status": "IN_PROGRESS", "stream": []})
    );
    server.script.release();
    server.exit_code();
}
