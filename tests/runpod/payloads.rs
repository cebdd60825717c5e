//! Invalid and unusual jobs: each gets its own error, and no other job is affected.

use serde_json::{Value, json};

use super::{health_check, healthy};
use crate::support::models::checkpoint;
use crate::support::platform::{Fault, Platform, QueueWorker, Route};
use crate::support::program::program;

#[test]
fn an_invalid_job_gets_an_error_and_the_other_jobs_their_results() {
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(300), "]".repeat(300));
    let inputs: [(&[u8], &str); 13] = [
        (br#"null"#, "malformed: input is null"),
        (br#""text""#, "malformed: input is a string"),
        (br#"[]"#, "malformed: input is a list"),
        (
            br#"{"query":"\ud83d"}"#,
            "malformed: input is not valid JSON",
        ),
        (br#"{"query":"a","query":"b"}"#, "appears twice"),
        (br#"{"query":NaN}"#, "malformed: input is not valid JSON"),
        (br#"{"query":"a","x":1e999}"#, "number out of range"),
        (deep.as_bytes(), "recursion limit"),
        (
            b"{\"query\":\"\xff\"}",
            "malformed: input is not valid JSON",
        ),
        (br#"{"query":" "}"#, "invalid: query is blank"),
        (br#"{"queries":["a",3]}"#, "invalid: queries[1] is a number"),
        (br#"{"action":"sing"}"#, "invalid: action is \"sing\""),
        (br#"{}"#, "invalid: give query or queries"),
    ];
    let platform = Platform::start();
    for (number, (input, _)) in inputs.iter().enumerate() {
        let (bad, good) = (format!("bad-{number}"), format!("good-{number}"));
        let head = format!(r#"{{"id":"{bad}","input":"#);
        platform.submit_raw(Some(&bad), &[head.as_bytes(), input, b"}"].concat());
        platform.submit(&good, &health_check());
    }
    platform.submit_raw(Some("no-input"), br#"{"id":"no-input"}"#);
    let _worker = QueueWorker::start(&platform);
    for (number, (_, words)) in inputs.iter().enumerate() {
        let answer = platform.answer(&format!("bad-{number}"));
        assert!(
            answer["error"].as_str().unwrap().contains(words),
            "{number}: {answer}"
        );
        assert_eq!(platform.answer(&format!("good-{number}")), healthy());
    }
    let answer = platform.answer("no-input");
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .starts_with("malformed: input is missing")
    );
    platform.check();
}

#[test]
fn jobs_without_an_id_are_counted_and_the_rest_of_the_delivery_runs() {
    let platform = Platform::start();
    let delivery = br#"[{"input":{}},null,{"id":null,"input":{}},{"id":"","input":{}}]"#;
    platform.script(Route::Take, [Fault::Body(delivery.to_vec())]);
    for nameless in [
        &br#"{"input":{"action":"health_check"}}"#[..],
        b"7",
        b"nonsense",
    ] {
        platform.submit_raw(None, nameless);
    }
    platform.submit("named", &health_check());
    let mut worker = QueueWorker::start(&platform);
    assert_eq!(platform.answer("named"), healthy());
    worker.served.stop();
    assert!(
        worker.served.log().contains("nameless=7"),
        "{}",
        worker.served.log()
    );
    platform.check();
}

#[test]
fn a_job_that_is_too_large_fails_and_the_other_jobs_run() {
    for concurrency in ["1", "3"] {
        let platform = Platform::start();
        platform.submit("small", &health_check());
        platform.submit("large", &json!({"query": "x".repeat(2_000_000)}));
        let mut worker = QueueWorker::start_with(&platform, &[], &small_limit(concurrency));
        let error = platform.answer("large")["error"].clone();
        let words = "too_large: the delivery of the job is larger than 100";
        assert!(error.as_str().unwrap().starts_with(words), "{error}");
        assert_eq!(platform.answer("small"), healthy());
        platform.submit("next", &health_check());
        assert_eq!(platform.answer("next"), healthy());
        worker.served.stop();
        platform.check();
    }
}

#[test]
fn a_job_that_is_too_large_and_has_its_id_after_its_input_is_logged() {
    let platform = Platform::start();
    let text = "x".repeat(2_000_000);
    let payload = format!(r#"{{"input":{{"query":"{text}"}},"id":"behind"}}"#);
    platform.submit_raw(None, payload.as_bytes());
    let mut worker = QueueWorker::start_with(&platform, &[], &small_limit("1"));
    platform.submit("next", &health_check());
    assert_eq!(platform.answer("next"), healthy());
    worker.served.stop();
    let log = worker.served.log();
    assert!(
        log.contains("take brought more than 1003000 bytes"),
        "{log}"
    );
    assert!(log.contains("nameless=1"), "{log}");
}

/// Settings with which a worker reads little more than a million bytes of a delivery.
fn small_limit(concurrency: &str) -> [(&str, &str); 2] {
    [
        ("RUNPOD_QUERY__SERVER__BODY_LIMIT_BYTES", "1000"),
        ("RUNPOD_MAX_CONCURRENCY", concurrency),
    ]
}

#[test]
fn a_job_of_escaped_characters_only_is_accepted() {
    let platform = Platform::start();
    // Decoded it has the largest allowed length; escaped it is three times as long.
    let escaped = "\\u00e4".repeat(500_000);
    let payload = format!(r#"{{"id":"a","input":{{"query":"{escaped}"}}}}"#);
    platform.submit_raw(Some("a"), payload.as_bytes());
    let variables = [
        ("RUNPOD_QUERY__SERVER__BODY_LIMIT_BYTES", "1000000"),
        ("RUNPOD_MAX_CONCURRENCY", "1"),
    ];
    let _worker = QueueWorker::start_with(&platform, &[], &variables);
    let answer = platform.answer("a");
    assert!(answer["output"]["embedding"].is_array(), "{answer}");
    platform.check();
}

#[test]
fn a_job_after_a_byte_order_mark_or_inside_a_string_runs() {
    let job = json!({"id": "a", "input": health_check()}).to_string();
    let string = serde_json::to_string(&job).unwrap();
    for payload in [format!("\u{feff}{job}"), string] {
        let platform = Platform::start();
        platform.submit_raw(Some("a"), payload.as_bytes());
        let variables = [("RUNPOD_MAX_CONCURRENCY", "1")];
        let _worker = QueueWorker::start_with(&platform, &[], &variables);
        assert_eq!(platform.answer("a"), healthy(), "{payload}");
        platform.check();
    }
}

#[test]
fn an_id_with_special_characters_is_encoded_in_its_url() {
    let platform = Platform::start();
    let names = [
        "a/b c?d=e&f#g%h",
        "é😀",
        "$ID",
        "$RUNPOD_POD_ID",
        "new\nline",
        "42",
    ];
    for name in names {
        platform.submit(name, &health_check());
    }
    let _worker = QueueWorker::start(&platform);
    for name in names {
        assert_eq!(platform.answer(name), healthy(), "{name}");
    }
    platform.check();
}

#[test]
fn a_result_above_the_limit_is_an_error_with_the_limit_and_the_number_that_fits() {
    let platform = Platform::start();
    let variables = [("RUNPOD_QUERY__LIMITS__RESULT_BYTES", "5000")];
    platform.submit(
        "large",
        &json!({"action": "embed_batch", "texts": vec!["a text"; 20]}),
    );
    let _worker = QueueWorker::start_with(&platform, &[], &variables);
    let answer = platform.answer("large");
    let error = answer["error"].as_str().unwrap();
    assert!(
        error.starts_with("too_large: the result of 20 texts takes about "),
        "{error}"
    );
    assert!(error.contains("the limit is 5000; 8 texts fit"), "{error}");
    platform.check();
}

#[test]
fn a_job_gets_the_outputs_that_it_asks_for() {
    let directory = tempfile::tempdir().unwrap();
    let model = directory.path().join("model");
    let export = program()
        .arg("export")
        .arg(checkpoint("tiny-xlm-roberta"))
        .arg(&model)
        .status();
    assert!(export.unwrap().success());
    let platform = Platform::start();
    let outputs = ["dense", "sparse", "colbert"];
    platform.submit("all", &json!({"query": "a text", "outputs": outputs}));
    platform.submit(
        "unknown",
        &json!({"query": "a text", "outputs": ["lexical"]}),
    );
    let arguments = ["--model-directory", model.to_str().unwrap()];
    let _worker = QueueWorker::start_without_model(&platform, &arguments);
    let answer = platform.answer("all");
    for output in ["embedding", "sparse_embedding", "colbert_embedding"] {
        assert!(!answer["output"][output].is_null(), "{answer}");
    }
    let error = platform.answer("unknown")["error"].clone();
    assert_eq!(
        error,
        "invalid: outputs[0] is \"lexical\"; it must be dense, sparse or colbert"
    );
    platform.check();
}

#[test]
fn jobs_that_do_not_fit_together_wait_for_each_other() {
    let platform = Platform::start();
    let variables = [("RUNPOD_QUERY__ENGINE__QUEUE_TEXTS", "100")];
    let texts = vec!["What is machine learning?"; 80];
    for id in ["a", "b", "c", "d"] {
        platform.submit(id, &json!({"action": "embed_batch", "texts": texts}));
    }
    let _worker = QueueWorker::start_with(&platform, &[], &variables);
    for id in ["a", "b", "c", "d"] {
        let answer = platform.answer(id);
        let vectors = answer["output"]["embeddings"]
            .as_array()
            .map(Vec::<Value>::len);
        assert_eq!(vectors, Some(80), "{id}: {answer}");
    }
    platform.check();
}

#[test]
fn the_log_names_the_batch_of_a_job_in_one_line_and_no_batch_that_is_not_a_string() {
    let platform = Platform::start();
    for (id, batch) in [
        ("in-a-batch", json!("batch-7\n\u{1b}[31m")),
        ("long", json!("b".repeat(500))),
        ("number", json!(7)),
        ("alone", json!(null)),
    ] {
        let job = json!({"id": id, "batchId": batch, "input": {"query": "a"}});
        platform.submit_raw(Some(id), job.to_string().as_bytes());
    }
    let mut worker = QueueWorker::start(&platform);
    for id in ["in-a-batch", "long", "number", "alone"] {
        assert!(platform.answer(id)["output"].is_object(), "{id}");
    }
    worker.served.signal("TERM");
    worker.served.wait();
    let log = worker.served.log();
    let messages = |id: &str| -> Vec<String> {
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        lines
            .filter(|line: &Value| line["requestId"] == id)
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .collect()
    };
    for (id, prefix) in [
        ("in-a-batch", "[batchId=batch-7\\n\\u{1b}[31m] ".to_owned()),
        ("long", format!("[batchId={}] ", "b".repeat(80))),
        ("number", String::new()),
        ("alone", String::new()),
    ] {
        let messages = messages(id);
        for what in ["job outcome=completed", "result outcome=acknowledged"] {
            let begin = format!("{prefix}{what}");
            assert!(
                messages.iter().any(|message| message.starts_with(&begin)),
                "{begin}: {messages:?}"
            );
        }
    }
}

#[test]
fn a_job_of_the_queue_has_fewer_texts_than_a_call_over_http() {
    let platform = Platform::start();
    let texts = vec!["a"; 513];
    platform.submit("many", &json!({"queries": texts}));
    platform.submit("few", &json!({"queries": texts[..512]}));
    platform.submit("as-the-embedding-worker", &json!({"input": ["a", "b"]}));
    let _worker = QueueWorker::start(&platform);
    assert_eq!(
        platform.answer("many")["error"],
        "too_large: queries holds 513 texts; the limit is 512"
    );
    let answer = platform.answer("few");
    let vectors = answer["output"]["embeddings"].as_array().unwrap();
    assert_eq!(vectors.len(), 512);
    let answer = platform.answer("as-the-embedding-worker");
    assert_eq!(answer["output"]["object"], "list", "{answer}");
    assert_eq!(answer["output"]["data"][1]["index"], 1, "{answer}");
    platform.check();
}
