//! The three actions: names, fields and shapes, to the letter.

use serde_json::{Value, json};

use crate::support::fake::vector;
use crate::support::server::TestServer;

/// The output of a job that must be completed, as it is written.
#[track_caller]
fn output(server: &TestServer, input: &Value) -> Value {
    let answer = server.run(input.clone());
    assert_eq!(answer.status, 200, "{answer:?}");
    let job = answer.json();
    assert_eq!(
        answer.fields(),
        ["delayTime", "executionTime", "id", "output", "status"]
    );
    assert_eq!(job["status"], "COMPLETED");
    assert!(job["id"].as_str().unwrap().starts_with("sync-"));
    assert!(job["delayTime"].is_u64() && job["executionTime"].is_u64());
    job["output"].clone()
}

fn vectors(of: &[(usize, usize)]) -> Value {
    let vectors: Vec<_> = of
        .iter()
        .map(|&(first, words)| vector(first, words))
        .collect();
    serde_json::from_str(&serde_json::to_string(&vectors).unwrap()).unwrap()
}

#[test]
fn each_action_answers_in_its_shape() {
    let server = TestServer::start();
    let one = json!({"embedding": vectors(&[(5, 2)])[0]});
    let two = json!({"embeddings": vectors(&[(5, 2), (1, 1)])});
    let healthy = json!({"status": "ok", "endpoint": "query", "runtime": "onnx-cpu"});
    for (input, expected) in [
        (json!({"action": "embed_query", "query": "w5 w6"}), &one),
        (json!({"query": "w5 w6"}), &one),
        (
            json!({"query": "w5 w6", "queries": null, "extra": {"a": [1]}}),
            &one,
        ),
        (
            json!({"action": "embed_query", "queries": ["w5 w6", "w1"]}),
            &two,
        ),
        (json!({"queries": ["w5 w6", "w1"]}), &two),
        (
            json!({"action": "embed_batch", "texts": ["w5 w6", "w1"]}),
            &two,
        ),
        (
            json!({"action": "embed_batch", "texts": ["w1"]}),
            &json!({"embeddings": vectors(&[(1, 1)])}),
        ),
        (json!({"action": "health_check"}), &healthy),
    ] {
        assert_eq!(output(&server, &input), *expected, "{input}");
    }
}

#[test]
fn a_float_is_written_as_short_as_an_f32_can_be() {
    let server = TestServer::start();
    let answer = server.run(json!({"query": "w5"}));
    assert!(answer.text.contains("0.1,-0.0625]"), "{answer:?}");
}

#[test]
fn vectors_come_in_the_order_of_their_texts() {
    let server = TestServer::start();
    let mixed: Vec<_> = (0..512)
        .map(|number| format!("w{number}{}", " w0".repeat(number * 7 % 40)))
        .collect();
    let expected: Vec<_> = (0..512)
        .map(|number| (number, 1 + number * 7 % 40))
        .collect();
    let output = output(&server, &json!({"action": "embed_batch", "texts": mixed}));
    assert_eq!(output, json!({"embeddings": vectors(&expected)}));
}

#[test]
fn the_routes_exist_under_an_endpoints_name_too() {
    let server = TestServer::start();
    let answer = server.post("/v2/abc123/runsync", r#"{"input":{"query":"w1"}}"#);
    assert_eq!(answer.json()["status"], "COMPLETED");
    assert_eq!(server.get("/v2/abc123/health").status, 200);
}

#[test]
fn an_envelope_without_a_content_type_is_accepted() {
    let server = TestServer::start();
    for content_type in [
        None,
        Some("application/json; charset=utf-8"),
        Some("Application/JSON"),
    ] {
        let mut request = server
            .client
            .post(server.url("/runsync"))
            .body(r#"{"input":{"query":"w1"}}"#);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer = crate::support::server::send(request);
        assert_eq!(answer.json()["status"], "COMPLETED", "{content_type:?}");
    }
}

#[test]
fn health_counts_jobs_and_describes_the_model() {
    let server = TestServer::start();
    server.run(json!({"query": "w1"}));
    server.run(json!({"query": " "}));
    let health = server.get("/health").json();
    assert_eq!(
        health,
        json!({
            "jobs": {"completed": 1, "failed": 1, "inProgress": 0, "inQueue": 0, "retried": 0},
            "workers": {"idle": 1, "initializing": 0, "ready": 1, "running": 0, "throttled": 0, "unhealthy": 0},
            "model": {
                "name": "fake",
                "repository": "nobody/fake-model",
                "revision": null,
                "precision": "fp32",
                "dimensions": 4,
                "outputs": ["dense", "sparse", "colbert"],
                "colbert_dimensions": 4,
                "max_tokens": 4096,
                "quality": null,
            },
        })
    );
}
