//! What operators need: metrics, a key, a port for the probe, the worker's name.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use runpod_query::app::Error;
use runpod_query::config;
use serde_json::json;

use crate::support::fake::{FAIL, WAIT, wait_until};
use crate::support::server::{Answer, TestServer, send, settings};

/// Every sample by its name and labels.
fn metrics(server: &TestServer) -> BTreeMap<String, f64> {
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 200, "{answer:?}");
    let samples = answer.text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn metrics_count_requests_errors_batches_and_times() {
    let server = TestServer::start();
    server.run(json!({"query": "w1 w2"}));
    server.run(json!({"action": "embed_batch", "texts": ["w1", "w2 w3 w4"]}));
    server.run(json!({"query": " "}));
    server.run(json!({"query": FAIL}));
    server.get("/nothing");
    let metrics = metrics(&server);
    for (name, expected) in [
        ("requests_total", 4.0),
        ("errors_total{code=\"invalid\"}", 1.0),
        ("errors_total{code=\"internal\"}", 1.0),
        ("request_seconds_count", 4.0),
        ("tokenization_seconds_count", 3.0),
        ("queue_seconds_count", 2.0),
        ("inference_seconds_count", 3.0),
        ("batch_texts_sum", 4.0),
        ("batch_tokens_sum", 7.0),
        ("queued_texts", 0.0),
        ("http_answers_total{route=\"/runsync\",status=\"200\"}", 3.0),
        ("http_answers_total{route=\"/runsync\",status=\"500\"}", 1.0),
        ("http_answers_total{route=\"none\",status=\"404\"}", 1.0),
        ("worker_polls_total", 0.0),
        ("worker_outbox_results", 0.0),
    ] {
        let name = format!("runpod_query_{name}");
        assert_eq!(metrics.get(&name), Some(&expected), "{name}: {metrics:#?}");
    }
}

#[test]
fn metrics_show_queued_and_running_texts() {
    let server = TestServer::start();
    let running = server.run_beside(json!({"query": WAIT}));
    server.script.wait_for_batches(1);
    let waiting = server.run_beside(json!({"queries": ["w1", "w2"]}));
    wait_until("two texts in the queue", || server.jobs() == (1, 1));
    let now = metrics(&server);
    assert_eq!(now["runpod_query_running_texts"], 1.0);
    assert_eq!(now["runpod_query_queued_texts"], 2.0);
    assert_eq!(now["runpod_query_queued_calls"], 1.0);
    server.script.release();
    running.join().unwrap();
    waiting.join().unwrap();
}

#[test]
fn metrics_are_there_before_the_model_and_show_the_memory() {
    let server = TestServer::start_loading(&settings());
    let metrics = metrics(&server);
    assert_eq!(metrics["runpod_query_inference_seconds_count"], 0.0);
    if cfg!(target_os = "linux") {
        assert!(metrics["process_resident_memory_bytes"] > 1e6);
    }
}

#[test]
fn no_address_that_a_caller_makes_up_becomes_a_label() {
    let server = TestServer::start();
    for number in 0..20 {
        server.get(&format!("/nothing/{number}"));
        server.get(&format!("/v2/{number}/health"));
    }
    let routes = metrics(&server).into_keys();
    let answers = routes.filter(|name| name.contains("http_answer_seconds_count"));
    assert_eq!(answers.count(), 3, "none, health and ping");
}

fn ask(server: &TestServer, path: &str, authorization: &str) -> Answer {
    let request: RequestBuilder = server.client.get(server.url(path));
    send(request.header("authorization", authorization))
}

#[test]
fn a_key_that_was_read_from_a_file_is_the_same_without_its_last_newline() {
    for key in ["a key\n", " a key ", "\ta key\r\n"] {
        let mut settings = settings();
        settings.server.api_key = Some(key.into());
        let server = TestServer::start_with(&settings);
        for given in ["Bearer a key", "a key"] {
            assert_eq!(ask(&server, "/health", given).status, 200, "{key:?}");
        }
        assert_eq!(ask(&server, "/health", "Bearer").status, 401, "{key:?}");
    }
}

#[test]
fn with_a_key_only_the_probe_and_the_documentation_are_open() {
    let mut settings = settings();
    settings.server.api_key = Some("a key".into());
    let server = TestServer::start_with(&settings);
    for path in ["/ping", "/", "/docs/", "/openapi.json"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    for path in [
        "/health",
        "/metrics",
        "/status/abc",
        "/nothing",
        "/v2/a/health",
    ] {
        let refused = server.get(path);
        refused.assert_error(401, "unauthorized", "Authorization");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
        for wrong in ["", "Bearer", "Bearer a ke", "Bearer a keyy", "Basic a key"] {
            assert_eq!(ask(&server, path, wrong).status, 401, "{path} {wrong}");
        }
    }
    let job = json!({"input": {"query": "w1"}}).to_string();
    server
        .post("/runsync", &job)
        .assert_error(401, "unauthorized", "Authorization");
    for right in ["Bearer a key", "bearer a key", "a key"] {
        assert_eq!(ask(&server, "/health", right).status, 200, "{right}");
        assert_eq!(ask(&server, "/metrics", right).status, 200, "{right}");
        assert_eq!(ask(&server, "/nothing", right).status, 404, "{right}");
    }
    let models = server.get("/v1/models");
    assert_eq!(models.status, 401);
    let error = models.json()["error"].clone();
    assert_eq!(error["type"], "authentication_error", "{models:?}");
    assert_eq!(ask(&server, "/v1/models", "Bearer a key").status, 200);
    assert!(server.script.batches().is_empty());
}

#[test]
fn without_a_key_any_key_will_do() {
    let server = TestServer::start();
    assert_eq!(ask(&server, "/health", "Bearer whatever").status, 200);
}

#[test]
fn the_probe_answers_on_its_own_port_from_the_first_moment() {
    let server = start_on_ports_of_its_own(|server| {
        server.port = free_port();
        server.health_port = Some(free_port());
    });
    let probe = || {
        let port = server.health_port.unwrap();
        send(server.client.get(format!("http://127.0.0.1:{port}/ping"))).status
    };
    assert_eq!((probe(), server.get("/ping").status), (204, 204));
    server.finish_loading(Ok(()));
    wait_until("the server to be ready", || probe() == 200);
    assert_eq!(server.get("/ping").status, 200);
}

#[test]
fn a_health_port_equal_to_the_port_is_ignored() {
    let server = start_on_ports_of_its_own(|server| {
        server.port = free_port();
        server.health_port = Some(server.port);
    });
    assert_eq!(server.health_port, None);
}

#[test]
fn the_probe_answers_at_a_second_path_on_both_ports_without_a_key() {
    let server = start_on_ports_of_its_own(|server| {
        server.port = free_port();
        server.health_port = Some(free_port());
        server.health_check_path = Some("/healthz".to_owned());
        server.api_key = Some("a key".into());
    });
    let ask = |method: Method, port: &str, path: &str| {
        let url = format!("http://127.0.0.1:{port}{path}");
        send(server.client.request(method, url))
    };
    let ports = [
        server.url("").rsplit(':').next().unwrap().to_owned(),
        server.health_port.unwrap().to_string(),
    ];
    for port in &ports {
        for path in ["/ping", "/healthz", "/healthz?deep=1"] {
            assert_eq!(ask(Method::GET, port, path).status, 204, "{path}");
        }
    }
    server.finish_loading(Ok(()));
    wait_until("the server to be ready", || {
        ask(Method::GET, &ports[0], "/healthz").status == 200
    });
    for port in &ports {
        assert_eq!(ask(Method::HEAD, port, "/healthz").status, 200);
        assert_eq!(ask(Method::GET, port, "/ping").status, 200);
        assert_eq!(ask(Method::POST, port, "/healthz").status, 405);
        assert_eq!(ask(Method::GET, port, "/healthz/more").status, 401);
        assert_eq!(ask(Method::GET, port, "/health").status, 401);
    }
}

#[test]
fn without_a_second_path_for_the_probe_there_is_only_the_first() {
    let server = TestServer::start();
    server
        .get("/healthz")
        .assert_error(404, "not_found", "nothing is here");
}

#[test]
fn a_path_for_the_probe_that_cannot_be_served_stops_the_start() {
    for path in ["healthz", "/health", "/a b", ""] {
        let mut settings = settings();
        settings.server.health_check_path = Some(path.to_owned());
        let Err(error) = TestServer::try_start_loading(&settings) else {
            panic!("started with {path}");
        };
        let message = runpod_query::service::with_causes(&error);
        assert!(message.contains("HEALTH_CHECK_PATH"), "{path}: {message}");
        assert!(message.contains(&format!("{path:?}")), "{path}: {message}");
    }
}

/// A loading server on the ports that `choose` sets. Somebody else may take one before the server does, and then others
/// are chosen.
fn start_on_ports_of_its_own(choose: impl Fn(&mut config::Server)) -> TestServer {
    loop {
        let mut settings = settings();
        choose(&mut settings.server);
        match TestServer::try_start_loading(&settings) {
            Ok(server) => return server,
            Err(Error::Listen { source, .. }) if source.kind() == ErrorKind::AddrInUse => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// A port that is likely to be free a moment later.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn every_answer_names_the_worker_where_runpod_has_named_it() {
    let mut settings = settings();
    settings.worker.pod_id = Some("abc123".to_owned());
    let server = TestServer::start_with(&settings);
    for path in ["/ping", "/nothing", "/health"] {
        let answer = server.get(path);
        assert_eq!(answer.header("x-runpod-worker-id"), "abc123", "{path}");
    }
    let nameless = TestServer::start().get("/ping");
    assert_eq!(nameless.header("x-runpod-worker-id"), "");
}
