//! A query that is asked again is answered from the cache, in whatever form and over whatever route.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::fake::{WAIT, wait_until};
use crate::support::server::{Answer, TestServer, settings};

const TEXT: &str = "w1 w2 w3";

fn metric(server: &TestServer, name: &str) -> u64 {
    let answer = server.get("/metrics");
    let name = format!("runpod_query_{name} ");
    let line = answer
        .text
        .lines()
        .find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_else(|| panic!("{name}: {answer:?}"))
        .parse()
        .unwrap()
}

/// The output of a job, as it was sent.
fn output(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{answer:?}");
    let (_, rest) = answer.text.split_once("\"output\":").unwrap();
    rest.split_once(",\"delayTime\"").unwrap().0
}

fn openai(server: &TestServer, format: &str) -> Value {
    let body = json!({"input": TEXT, "encoding_format": format});
    let answer = server.post("/v1/embeddings", &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn floats(base64: &Value) -> Vec<f32> {
    let bytes = STANDARD.decode(base64.as_str().unwrap()).unwrap();
    let (floats, rest) = bytes.as_chunks::<4>();
    assert!(rest.is_empty());
    floats.iter().copied().map(f32::from_le_bytes).collect()
}

#[test]
fn a_query_is_the_same_again_in_every_form_and_runs_once() {
    let server = TestServer::start();
    let ask = |input: Value| server.run(input);
    let first = ask(json!({"query": TEXT}));
    let again = ask(json!({"action": "embed_query", "query": TEXT, "encoding_format": "float"}));
    assert_eq!(output(&first), output(&again));
    let vector: Vec<f32> =
        serde_json::from_value(first.json()["output"]["embedding"].clone()).unwrap();
    for _ in 0..2 {
        let base64 = ask(json!({"query": TEXT, "encoding_format": "base64"})).json();
        assert_eq!(floats(&base64["output"]["embedding"]), vector);
        let float = openai(&server, "float");
        assert_eq!(
            float["data"][0]["embedding"],
            first.json()["output"]["embedding"]
        );
        assert_eq!(
            float["usage"],
            json!({"prompt_tokens": 3, "total_tokens": 3})
        );
        let base64 = openai(&server, "base64");
        assert_eq!(floats(&base64["data"][0]["embedding"]), vector);
        let list = ask(json!({"queries": [TEXT, TEXT]})).json();
        assert_eq!(
            list["output"]["embeddings"],
            json!([
                first.json()["output"]["embedding"],
                first.json()["output"]["embedding"]
            ])
        );
    }
    assert_eq!(server.script.batches(), [[3]]);
    assert_eq!(metric(&server, "cache_misses_total"), 1);
    assert_eq!(metric(&server, "cache_hits_total"), 1 + 4 * 2);
    // Texts are counted for each answer.
    assert_eq!(metric(&server, "texts_total{output=\"dense\"}"), 2 + 5 * 2);
}

#[test]
fn all_outputs_of_a_query_are_the_same_again() {
    let server = TestServer::start();
    let input = json!({"query": TEXT, "outputs": ["dense", "sparse", "colbert"]});
    let [first, again] = [(); 2].map(|()| server.run(input.clone()));
    assert_eq!(output(&first), output(&again));
    for member in ["embedding", "sparse_embedding", "colbert_embedding"] {
        assert!(!first.json()["output"][member].is_null(), "{member}");
    }
    assert_eq!(server.script.batches(), [[3]]);
}

#[test]
fn documents_and_jobs_for_which_nobody_waits_pass_by_the_cache() {
    let server = TestServer::start();
    server.run(json!({"query": TEXT}));
    server.run(json!({"action": "embed_batch", "texts": [TEXT]}));
    let body = json!({"input": {"query": TEXT}}).to_string();
    let id = server.post("/run", &body).json()["id"].clone();
    let status = format!("/status/{}", id.as_str().unwrap());
    wait_until("the job to end", || {
        server.get(&status).json()["status"] == "COMPLETED"
    });
    server.post(
        "/v1/embeddings",
        &json!({"input": [TEXT, "w4"]}).to_string(),
    );
    assert_eq!(server.script.batches().len(), 4);
    assert_eq!(metric(&server, "cache_hits_total"), 0);
    assert_eq!(metric(&server, "cache_misses_total"), 1);
}

#[test]
fn equal_queries_of_many_clients_run_once() {
    const CLIENTS: u64 = 8;
    let server = TestServer::start();
    let clients = [(); CLIENTS as usize].map(|()| server.run_beside(json!({"query": WAIT})));
    wait_until("all clients", || {
        metric(&server, "cache_shared_total") == CLIENTS - 1
    });
    wait_until("the start of every job", || server.jobs() == (0, CLIENTS));
    server.script.release();
    let answers = clients.map(|client| client.join().unwrap());
    for answer in &answers {
        assert_eq!(output(answer), output(&answers[0]));
    }
    assert_eq!(server.script.batches(), [[1]]);
}

#[test]
fn usage_counts_equal_texts_in_every_place() {
    let server = TestServer::start();
    let body = json!({"input": [TEXT, "w9", TEXT]});
    let answer = server.post("/v1/embeddings", &body.to_string()).json();
    assert_eq!(answer["usage"]["prompt_tokens"], 3 + 1 + 3);
    let data = answer["data"].as_array().unwrap();
    assert_eq!(data.len(), 3);
    assert_eq!(data[0]["embedding"], data[2]["embedding"]);
    assert_eq!(server.script.batches(), [[1, 3]]);
}

#[test]
fn without_bytes_for_the_cache_every_query_runs() {
    let mut settings = settings();
    settings.engine.cache_bytes = 0;
    let server = TestServer::start_with(&settings);
    let [first, again] = [(); 2].map(|()| server.run(json!({"query": TEXT})));
    assert_eq!(output(&first), output(&again));
    assert_eq!(server.script.batches().len(), 2);
    assert_eq!(metric(&server, "cache_hits_total"), 0);
}
