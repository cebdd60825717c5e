//! More than one client: overload, order, patience.

use std::io::Write;
use std::net::TcpStream;
use std::num::NonZeroUsize;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::fake::{WAIT, wait_until};
use crate::support::server::{Answer, TestServer, settings};

#[test]
fn a_full_queue_answers_overloaded_immediately_with_a_retry_hint() {
    let mut settings = settings();
    settings.engine.queue_texts = NonZeroUsize::new(2).unwrap();
    let server = TestServer::start_with(&settings);
    let running = server.run_beside(json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let waiting = server.run_beside(json!({"queries": ["w1", "w2"]}));
    wait_until("a job in the queue", || server.jobs() == (1, 1));
    let refused = server.run(json!({"query": "w3"}));
    refused.assert_error(429, "overloaded", "too many texts wait");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    server.script.release();
    assert_eq!(running.join().unwrap().json()["status"], "COMPLETED");
    assert_eq!(waiting.join().unwrap().json()["status"], "COMPLETED");
}

#[test]
fn a_client_that_has_gone_costs_nothing() {
    let server = TestServer::start();
    let running = server.run_beside(json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let impatient = send_and_leave_open(&server, &json!({"input": {"query": "w1 w2 w3"}}));
    wait_until("a job in the queue", || server.jobs() == (1, 1));
    drop(impatient);
    wait_until("the server to notice", || server.jobs() == (0, 1));
    let next = server.run_beside(json!({"query": "w1 w2"}));
    wait_until("the next job", || server.jobs() == (1, 1));
    server.script.release();
    assert_eq!(next.join().unwrap().json()["status"], "COMPLETED");
    assert_eq!(running.join().unwrap().json()["status"], "COMPLETED");
    assert_eq!(server.script.batches(), [[1], [2]]);
}

/// Sends a job on a connection of its own, to be closed whenever the test likes.
fn send_and_leave_open(server: &TestServer, envelope: &serde_json::Value) -> TcpStream {
    let address = server.url("").replace("http://", "");
    let body = envelope.to_string();
    let length = body.len();
    let request = format!(
        "POST /runsync HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn an_answer_that_takes_too_long_is_a_timeout() {
    let mut settings = settings();
    settings.server.request_timeout_seconds = NonZeroUsize::MIN;
    let server = TestServer::start_with(&settings);
    server
        .run(json!({"query": WAIT}))
        .assert_error(504, "timeout", "no answer within 1 s");
    server.script.release();
    // On a busy machine the next one may take too long as well.
    wait_until("a job to be done in time", || {
        server.run(json!({"query": "w1"})).status == 200
    });
}

#[test]
fn a_bulk_job_does_not_hold_up_a_query() {
    let server = TestServer::start();
    let running = server.run_beside(json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let texts: Vec<_> = (0..512)
        .map(|number| format!("w{number} {}", "w0 ".repeat(30)))
        .collect();
    let bulk = server.run_beside(json!({"action": "embed_batch", "texts": texts}));
    wait_until("the bulk job", || server.jobs() == (1, 1));
    let query = server.run_beside(json!({"query": "w1 w2 w3"}));
    wait_until("the query", || server.jobs() == (2, 1));
    server.script.release();
    assert_eq!(query.join().unwrap().json()["status"], "COMPLETED");
    assert_eq!(bulk.join().unwrap().json()["status"], "COMPLETED");
    assert_eq!(running.join().unwrap().json()["status"], "COMPLETED");
    let batches = server.script.batches();
    assert_eq!(batches[1], [3]);
    assert!(
        batches.len() > 30,
        "the bulk job was not cut into pieces: {}",
        batches.len()
    );
}

/// Occupies the encoder with a batch after which it is a query's turn, however long the others wait.
fn occupy_with_a_list(server: &TestServer) -> JoinHandle<Answer> {
    let running = server.run_beside(json!({"queries": [WAIT, "w0"]}));
    server.script.wait_for_batches(1);
    running
}

#[test]
fn a_query_goes_before_a_long_list_of_queries() {
    let server = TestServer::start();
    let running = occupy_with_a_list(&server);
    let queries: Vec<_> = (0..512).map(|number| format!("w{number}")).collect();
    let list = server.run_beside(json!({"queries": queries}));
    wait_until("the list", || server.jobs() == (1, 1));
    let query = server.run_beside(json!({"query": "w1 w2 w3"}));
    wait_until("the query", || server.jobs() == (2, 1));
    server.script.release();
    for client in [query, list, running] {
        assert_eq!(client.join().unwrap().json()["status"], "COMPLETED");
    }
    assert_eq!(server.script.batches()[1], [3]);
}

#[test]
fn a_query_is_next_beside_asynchronous_jobs_that_fill_the_queue_and_the_memory() {
    let mut settings = settings();
    settings.engine.queue_texts = NonZeroUsize::new(8).unwrap();
    settings.jobs.memory_bytes = NonZeroUsize::new(100_000).unwrap();
    let server = TestServer::start_with(&settings);
    let running = occupy_with_a_list(&server);
    let mut jobs = 0;
    let refused = loop {
        let answer = server.post("/run", r#"{"input":{"query":"w1 w2"}}"#);
        if answer.status != 200 {
            break answer;
        }
        jobs += 1;
    };
    refused.assert_error(429, "overloaded", "try again");
    assert!(jobs > 2 * 8, "{jobs}");
    wait_until("the jobs to wait", || server.jobs() == (jobs, 1));
    let query = server.run_beside(json!({"query": "w1 w2 w3"}));
    wait_until("the query to wait, too", || server.jobs() == (jobs + 1, 1));
    server.script.release();
    for client in [query, running] {
        assert_eq!(client.join().unwrap().json()["status"], "COMPLETED");
    }
    assert_eq!(server.script.batches()[1], [3]);
    wait_until("the jobs to end", || server.jobs() == (0, 0));
    assert_eq!(server.get("/health").json()["jobs"]["completed"], jobs + 2);
}

#[test]
fn a_job_says_how_long_it_waited_and_how_long_it_ran() {
    let server = TestServer::start();
    let begin = Instant::now();
    let running = server.run_beside(json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let taken = begin.elapsed().as_millis();
    let waiting = server.run_beside(json!({"query": "w1"}));
    wait_until("a job in the queue", || server.jobs() == (1, 1));
    std::thread::sleep(Duration::from_millis(60));
    server.script.release();
    let (ran, waited) = (
        running.join().unwrap().json(),
        waiting.join().unwrap().json(),
    );
    assert!(ran["executionTime"].as_u64().unwrap() >= 60, "{ran}");
    assert!(
        u128::from(ran["delayTime"].as_u64().unwrap()) <= taken,
        "{taken}: {ran}"
    );
    assert!(waited["delayTime"].as_u64().unwrap() >= 60, "{waited}");
}

#[test]
fn concurrent_clients_each_get_their_own_answer() {
    let server = TestServer::start();
    let clients: Vec<_> = (0..64)
        .map(|number| server.run_beside(json!({"query": format!("w{number}")})))
        .collect();
    for (number, client) in clients.into_iter().enumerate() {
        let first = client.join().unwrap().json()["output"]["embedding"][0]
            .as_f64()
            .unwrap();
        assert_eq!(first, f64::from(crate::support::fake::vector(number, 1)[0]));
    }
}
