//! What is refused, with which status, code and words.

use std::num::NonZeroUsize;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::fake::{FAIL, PANIC};
use crate::support::server::{TestServer, send, settings};

#[test]
fn an_invalid_input_is_a_failed_job_that_says_why() {
    let server = TestServer::start();
    let many = vec!["w1"; 2049];
    for (input, error) in [
        (json!({}), "invalid: give query or queries"),
        (
            json!({"query": "w1", "queries": ["w1"]}),
            "invalid: give query or queries, not both",
        ),
        (json!({"query": ""}), "invalid: query is blank"),
        (json!({"query": "\u{3000} \n"}), "invalid: query is blank"),
        (
            json!({"query": 1.5}),
            "invalid: query is a number; it must be a string",
        ),
        (
            json!({"queries": "w1"}),
            "invalid: queries is a string; it must be a list of strings",
        ),
        (
            json!({"queries": []}),
            "invalid: queries is empty; give at least one text",
        ),
        (
            json!({"queries": ["w1", "w1", "w1", 4]}),
            "invalid: queries[3] is a number; each text must be a string",
        ),
        (
            json!({"queries": ["w1", "\t"]}),
            "invalid: queries[1] is blank",
        ),
        (
            json!({"queries": many}),
            "too_large: queries holds 2049 texts; the limit is 2048",
        ),
        (
            json!({"action": "embed_batch"}),
            "invalid: texts is missing",
        ),
        (
            json!({"action": "embed_batch", "texts": [null]}),
            "invalid: texts[0] is null; each text must be a string",
        ),
        (
            json!({"action": "embed_batch", "texts": many}),
            "too_large: texts holds 2049 texts; the limit is 2048",
        ),
        (
            json!({"texts": ["w1"]}),
            "invalid: texts is a field of embed_batch; the action is embed_query",
        ),
        (
            json!({"action": true}),
            "invalid: action is a boolean; it must be a string",
        ),
        (
            json!({"action": "foo"}),
            "invalid: action is \"foo\"; it must be one of embed_query, embed_batch, health_check",
        ),
    ] {
        let answer = server.run(input.clone());
        assert_eq!(answer.status, 200, "{input}: {answer:?}");
        let job = answer.json();
        assert_eq!(
            answer.fields(),
            ["delayTime", "error", "executionTime", "id", "status"],
            "{input}"
        );
        assert_eq!(job["status"], "FAILED", "{input}");
        assert!(
            job["error"].as_str().unwrap().starts_with(error),
            "{input}: {answer:?}"
        );
    }
    assert!(server.script.batches().is_empty());
}

#[test]
fn a_body_that_is_not_a_job_envelope_is_malformed() {
    let server = TestServer::start();
    for (body, words) in [
        ("", "the body is not valid JSON"),
        ("{", "the body is not valid JSON"),
        ("[]", "the body is a list; it must be an object"),
        ("{}", "input is missing"),
        (r#"{"input":null}"#, "input is missing"),
        (
            r#"{"input":"w1"}"#,
            "input is a string; it must be an object",
        ),
        (r#"{"query":"w1"}"#, "input is missing"),
        (r#"{"input":{"query":"\ud83d"}}"#, "input is not valid JSON"),
        (
            r#"{"input":{"query":"w1","query":"w2"}}"#,
            "the key \"query\" appears twice",
        ),
        (
            &format!(
                r#"{{"input":{{"x":{}{}}}}}"#,
                "[".repeat(500),
                "]".repeat(500)
            ),
            "recursion limit",
        ),
        (r#"{"input":{"query":NaN}}"#, "the body is not valid JSON"),
    ] {
        server
            .post("/runsync", body)
            .assert_error(400, "malformed", words);
    }
    let latin = server
        .client
        .post(server.url("/runsync"))
        .body(b"{\"input\":{\"query\":\"\xe9\"}}".to_vec());
    send(latin).assert_error(400, "malformed", "the body is not valid JSON");
}

#[test]
fn a_byte_order_mark_before_a_body_is_ignored_and_utf_16_is_malformed() {
    let server = TestServer::start();
    for (path, body) in [
        ("/runsync", r#"{"input":{"query":"w1"}}"#),
        ("/run", r#"{"input":{"query":"w1"}}"#),
        ("/a/realtime", r#"{"input":{"query":"w1"}}"#),
        ("/v1/embeddings", r#"{"input":"w1"}"#),
    ] {
        let answer = server.post(path, &format!("\u{feff}{body}"));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let utf_16: Vec<u8> = std::iter::once(0xfeff)
            .chain(body.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let answer = send(server.client.post(server.url(path)).body(utf_16));
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        let words = "the body is UTF-16; it must be UTF-8";
        assert!(answer.text.contains(words), "{path}: {answer:?}");
    }
}

#[test]
fn a_body_of_another_type_is_refused_by_its_type() {
    let server = TestServer::start();
    for (header, value, expected) in [
        ("content-type", "text/plain", "application/json"),
        (
            "content-type",
            "application/x-www-form-urlencoded",
            "application/json",
        ),
        ("content-type", "nonsense", "application/json"),
        ("content-encoding", "gzip", "identity"),
    ] {
        let body = r#"{"input":{"query":"w1"}}"#;
        let answer = send(
            server
                .client
                .post(server.url("/runsync"))
                .header(header, value)
                .body(body),
        );
        let words = format!("{header} is {value:?}; it must be {expected}");
        answer.assert_error(415, "unsupported_media_type", &words);
    }
}

#[test]
fn a_body_above_the_limit_is_refused_and_the_client_gets_to_read_why() {
    let server = TestServer::start();
    let body = vec![b' '; 30_000_000];
    let answer = send(
        server
            .client
            .post(server.url("/runsync"))
            .body(body.clone()),
    );
    answer.assert_error(413, "too_large", "the body is larger than 20000000 bytes");
    let chunked = reqwest::blocking::Body::new(std::io::Cursor::new(body));
    let answer = send(server.client.post(server.url("/runsync")).body(chunked));
    answer.assert_error(413, "too_large", "the body is larger than 20000000 bytes");
}

#[test]
fn a_result_above_the_limit_is_refused_before_it_is_computed() {
    let mut settings = settings();
    settings.limits.result_bytes = NonZeroUsize::new(200).unwrap();
    let server = TestServer::start_with(&settings);
    let answer =
        server.run(json!({"action": "embed_batch", "texts": ["w1", "w2", "w3", "w4", "w5"]}));
    assert_eq!(
        answer.json()["error"],
        "too_large: the result of 5 texts takes about 250 bytes; the limit is 200; 4 texts fit, and fewer outputs or base64 \
         take less"
    );
    assert!(server.script.batches().is_empty());
    assert_eq!(
        server.run(json!({"queries": ["w1", "w2", "w3"]})).json()["status"],
        "COMPLETED"
    );
}

#[test]
fn a_defect_does_not_reveal_its_cause_and_affects_no_other_request() {
    let server = TestServer::start();
    for text in [FAIL, PANIC] {
        let answer = server.run(json!({"query": text}));
        answer.assert_error(500, "internal", "the server failed");
        assert!(!answer.text.contains("as the text says"), "{answer:?}");
    }
    assert_eq!(
        server.run(json!({"query": "w1"})).json()["status"],
        "COMPLETED"
    );
}

#[test]
fn no_error_repeats_a_text() {
    let server = TestServer::start();
    for input in [
        json!({"query": "confidential", "queries": []}),
        json!({"queries": ["confidential", 1]}),
        json!({"texts": ["confidential"]}),
        json!("confidential"),
        json!({"query": {"confidential": "confidential"}}),
    ] {
        let answer = server.run(input);
        assert!(!answer.text.contains("confidential"), "{answer:?}");
    }
    let answer = server.post("/runsync", "\"confidential\"");
    assert!(!answer.text.contains("confidential"), "{answer:?}");
}

#[test]
fn a_body_of_many_small_values_is_refused_quickly() {
    let server = TestServer::start();
    let zeros = format!(r#"{{"input":{{"queries":[{}0]}}}}"#, "0,".repeat(5_000_000));
    // The measure: the same text, read by a parser that keeps every value.
    let begin = Instant::now();
    drop(serde_json::from_str::<Value>(&zeros).unwrap());
    let parsed = begin.elapsed();
    let begin = Instant::now();
    let job: Value = server.post("/runsync", &zeros).json();
    let refused = begin.elapsed();
    assert_eq!(
        job["error"],
        "too_large: queries holds 5000001 texts; the limit is 2048"
    );
    assert!(
        refused < parsed * 20,
        "{refused:?}, and {parsed:?} to parse"
    );
}
