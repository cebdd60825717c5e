//! OpenAI's routes, over HTTP and inside a job.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::fake::{FAIL, WAIT, vector};
use crate::support::server::{Answer, TestServer, settings};

const EMBEDDINGS: &str = "/v1/embeddings";

fn embed(server: &TestServer, body: &Value) -> Answer {
    server.post(EMBEDDINGS, &body.to_string())
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, expected: [&str; 3], words: &str) {
    let [kind, param, code] = expected;
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.fields(), ["error"], "{answer:?}");
    let error = &answer.json()["error"];
    assert_eq!(error["type"], kind, "{answer:?}");
    assert_eq!(error["param"].as_str().unwrap_or_default(), param);
    assert_eq!(error["code"], code, "{answer:?}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(words), "{answer:?}");
    assert!(!answer.header("x-request-id").is_empty());
}

#[test]
fn a_text_gives_a_list_of_one_vector_and_counts_its_tokens() {
    let server = TestServer::start();
    let expected = json!({
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": vector(7, 3)}],
        "model": "nobody/fake-model",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    });
    let body = json!({"input": "w7 w8 w9", "model": "fake"}).to_string();
    for path in [EMBEDDINGS, "/v2/abc/openai/v1/embeddings"] {
        let answer = server.post(path, &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        // As text too: a float is written as itself, not as the nearest double.
        let first = format!("[{:?},3.0,", vector(7, 3)[0]);
        assert!(answer.text.contains(&first), "{}", answer.text);
        assert!(answer.text.contains(",0.1,-0.0625]"), "{}", answer.text);
        let mut given = answer.json();
        assert_eq!(given["data"][0]["embedding"].as_array().unwrap().len(), 4);
        given["data"][0]["embedding"] = expected["data"][0]["embedding"].clone();
        assert_eq!(given, expected);
    }
}

#[test]
fn base64_holds_the_same_floats_little_endian() {
    let server = TestServer::start();
    let body = json!({"input": ["w3", "w5 w5"], "encoding_format": "base64"});
    let answer = embed(&server, &body).json();
    assert_eq!(answer["usage"]["total_tokens"], 3);
    for (index, expected) in [vector(3, 1), vector(5, 2)].into_iter().enumerate() {
        let member = &answer["data"][index];
        assert_eq!(member["index"], index);
        let bytes = STANDARD
            .decode(member["embedding"].as_str().unwrap())
            .unwrap();
        let floats: Vec<f32> = bytes
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        assert_eq!(floats, expected);
    }
}

#[test]
fn an_invalid_request_is_rejected_in_openais_format() {
    let server = TestServer::start();
    let invalid = "invalid_request_error";
    for (body, status, expected, words) in [
        (json!({}), 422, [invalid, "input", "invalid"], "missing"),
        (
            json!({"input": ["w1", " "]}),
            422,
            [invalid, "input", "invalid"],
            "input[1] is blank",
        ),
        (
            json!({"input": [1, 2]}),
            422,
            [invalid, "input", "invalid"],
            "tokens",
        ),
        (
            json!({"input": "w1", "dimensions": 3}),
            422,
            [invalid, "dimensions", "invalid"],
            "dimensions is 3; the model's vectors have 4",
        ),
        (
            json!({"input": "w1", "encoding_format": "hex"}),
            422,
            [invalid, "encoding_format", "invalid"],
            "float or base64",
        ),
        (
            json!({"input": "w1", "model": "gpt-4"}),
            404,
            [invalid, "model", "model_not_found"],
            "nobody/fake-model",
        ),
        (
            json!({"input": vec!["w1"; 2049]}),
            413,
            [invalid, "input", "too_large"],
            "the limit is 2048",
        ),
        (
            json!([]),
            400,
            [invalid, "", "malformed"],
            "the body is a list",
        ),
        (
            json!({"input": FAIL}),
            500,
            ["server_error", "", "internal"],
            "its log says why",
        ),
    ] {
        assert_refused(&embed(&server, &body), status, expected, words);
    }
    let broken = server.post(EMBEDDINGS, r#"{"input":"a","input":"b"}"#);
    assert_refused(&broken, 400, [invalid, "", "malformed"], "appears twice");
}

#[test]
fn every_error_under_openais_addresses_has_openais_format() {
    let server = TestServer::start();
    let invalid = "invalid_request_error";
    let wrong_method = server.get(EMBEDDINGS);
    assert_refused(
        &wrong_method,
        405,
        [invalid, "", "method_not_allowed"],
        "POST",
    );
    assert_eq!(wrong_method.header("allow"), "POST");
    let nothing = server.get("/v2/abc/openai/v1/nothing");
    assert_refused(&nothing, 404, [invalid, "", "not_found"], "/docs");
    let mut settings = settings();
    settings.server.body_limit_bytes = 64.try_into().unwrap();
    let server = TestServer::start_with(&settings);
    let large = embed(&server, &json!({"input": "w1 ".repeat(64)}));
    assert_refused(&large, 413, [invalid, "", "too_large"], "64 bytes");
}

#[test]
fn until_the_model_is_loaded_openais_routes_are_unavailable() {
    let server = TestServer::start_loading(&settings());
    for answer in [
        server.get("/v1/models"),
        embed(&server, &json!({"input": "w1"})),
    ] {
        assert_refused(
            &answer,
            503,
            ["server_error", "", "unavailable"],
            "still loading",
        );
        assert_eq!(answer.header("retry-after"), "1");
    }
}

#[test]
fn a_job_that_passes_a_request_on_has_openais_answer_as_output() {
    let server = TestServer::start();
    let routed = |route: &str, input: Value| {
        let job = server.run(json!({"openai_route": route, "openai_input": input}));
        let job = job.json();
        assert_eq!(job["status"], "COMPLETED", "{job}");
        job["output"].clone()
    };
    let body = json!({"input": ["w1", "w2"]});
    assert_eq!(
        routed(EMBEDDINGS, body.clone()),
        embed(&server, &body).json()
    );
    for nothing in [json!(null), json!({})] {
        assert_eq!(
            routed("/v1/models", nothing),
            server.get("/v1/models").json()
        );
    }
    // Whatever the action says.
    let job = server.run(json!({"action": "nonsense", "openai_route": "/v1/models"}));
    assert_eq!(job.json()["output"]["object"], "list");
}

#[test]
fn a_job_in_the_form_of_runpods_embedding_worker_is_answered_as_openais_route() {
    let server = TestServer::start();
    for input in [
        json!({"model": "nobody/fake-model", "input": "w1 w2"}),
        json!({"model": "alias", "input": ["w1", "w2"], "encoding_format": "base64"}),
        json!({"input": ["w1"], "query": null}),
    ] {
        let job = server.run(input.clone()).json();
        assert_eq!(job["status"], "COMPLETED", "{job}");
        assert_eq!(job["output"], embed(&server, &input).json(), "{job}");
    }
    for (input, code, words) in [
        (
            json!({"model": "x", "input": "w1"}),
            404,
            "this endpoint serves nobody/fake-model",
        ),
        (json!({"input": " "}), 400, "input is blank"),
        (
            json!({"input": [1, 2]}),
            400,
            "check_embedding_ctx_length=False",
        ),
    ] {
        let job = server.run(input).json();
        assert_eq!(job["status"], "COMPLETED", "{job}");
        assert_eq!(job["output"]["code"], code, "{job}");
        assert!(
            job["output"]["message"].as_str().unwrap().contains(words),
            "{job}"
        );
    }
    for field in ["query", "queries", "texts", "action", "outputs"] {
        let job = server.run(json!({"input": "w1", field: "w2"})).json();
        assert_eq!(job["status"], "FAILED", "{job}");
        let expected = format!("invalid: give input or {field}, not both");
        assert_eq!(job["error"], expected, "{job}");
    }
}

#[test]
fn as_many_texts_as_openai_takes_are_embedded_at_once_also_when_the_queue_is_smaller() {
    let server = TestServer::start();
    let texts = vec!["w1 w2"; 2048];
    let answer = embed(&server, &json!({"input": texts}));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2048);
    for input in [
        json!({"queries": texts}),
        json!({"action": "embed_batch", "texts": texts}),
    ] {
        let job = server.run(input).json();
        let vectors = job["output"]["embeddings"].as_array().unwrap();
        assert_eq!(vectors.len(), 2048);
    }
}

#[test]
fn an_error_of_a_forwarded_request_is_the_output_of_a_completed_job() {
    let server = TestServer::start();
    for (input, kind, param, code, words) in [
        (
            json!({"openai_route": EMBEDDINGS, "openai_input": {"input": " "}}),
            "BadRequestError",
            json!("input"),
            400,
            "input is blank",
        ),
        (
            json!({"openai_route": EMBEDDINGS, "openai_input": {"input": "w1", "model": "x"}}),
            "NotFoundError",
            json!("model"),
            404,
            "this endpoint serves",
        ),
        (
            json!({"openai_route": EMBEDDINGS}),
            "BadRequestError",
            json!("openai_input"),
            400,
            "openai_input is missing",
        ),
        (
            json!({"openai_route": "/v1/chat/completions", "openai_input": {}}),
            "NotFoundError",
            json!(null),
            404,
            "nothing is here",
        ),
    ] {
        let job = server.run(input).json();
        assert_eq!(job["status"], "COMPLETED", "{job}");
        let output = &job["output"];
        assert_eq!(output["object"], "error", "{job}");
        assert_eq!(output["type"], kind, "{job}");
        assert_eq!(output["param"], param, "{job}");
        assert_eq!(output["code"], code, "{job}");
        assert!(output["message"].as_str().unwrap().contains(words), "{job}");
    }
}

#[test]
fn a_defect_behind_a_request_that_is_passed_on_is_an_error_of_the_job() {
    let server = TestServer::start();
    let answer = server.run(json!({
        "openai_route": EMBEDDINGS, "openai_input": {"input": FAIL},
    }));
    answer.assert_error(500, "internal", "its log says why");
}

#[test]
fn an_empty_or_non_string_route_is_ignored() {
    let server = TestServer::start();
    for route in [json!(""), json!(null), json!(7)] {
        let job = server.run(json!({"openai_route": route, "query": "w1"}));
        assert_eq!(job.json()["status"], "COMPLETED");
        assert_eq!(job.json()["output"]["embedding"][1], 1.0);
    }
}

#[test]
fn an_answer_that_takes_too_long_is_a_timeout_and_counted_as_one() {
    let mut settings = settings();
    settings.server.request_timeout_seconds = 1.try_into().unwrap();
    let server = TestServer::start_with(&settings);
    let late = embed(&server, &json!({"input": WAIT}));
    assert_refused(&late, 504, ["server_error", "", "timeout"], "within 1 s");
    let metrics = server.get("/metrics").text;
    assert!(
        metrics.contains("runpod_query_errors_total{code=\"timeout\"} 1"),
        "{metrics}"
    );
    server.script.release();
}
