//! `serve` over HTTP.

use serde_json::json;

use crate::support::fake::wait_until;
use crate::support::golden::{FP16_TOLERANCE, cosine, golden, largest_difference, length, texts};
use crate::support::program::{Served, floats, program};

/// Concurrent clients.
const CLIENTS: usize = 32;

#[test]
fn the_three_actions_keep_their_contract() {
    let served = Served::ready();
    let query = served.run(&json!({"query": "What is machine learning?"}));
    assert_eq!(query["status"], "COMPLETED");
    let vector = floats(&query["output"]["embedding"]);
    assert_eq!(vector.len(), 384);
    assert!((length(&vector) - 1.0).abs() < 1e-5);

    let texts = json!(["What is machine learning?", "The weather is nice today"]);
    for input in [
        json!({"queries": texts}),
        json!({"action": "embed_query", "queries": texts}),
        json!({"action": "embed_batch", "texts": texts}),
    ] {
        let answer = served.run(&input);
        assert_eq!(answer["output"]["embeddings"].as_array().unwrap().len(), 2);
        let first = floats(&answer["output"]["embeddings"][0]);
        assert!(largest_difference(&first, &vector) < 1e-5);
    }
    assert_eq!(
        served.run(&json!({"action": "health_check"}))["output"],
        json!({"status": "ok", "endpoint": "query", "runtime": "onnx-cpu"})
    );
}

#[test]
fn similar_texts_have_similar_vectors() {
    let served = Served::ready();
    let password = served.embed("How do I reset my password?");
    let credentials = served.embed("I forgot my login credentials");
    let weather = served.embed("The weather is nice today");
    assert!(cosine(&password, &credentials) > cosine(&password, &weather) + 0.3);
}

#[test]
fn concurrent_clients_get_the_same_vectors_as_a_single_client() {
    let served = Served::ready();
    let golden = golden("minilm").embeddings;
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (served, golden) = (&served, &golden);
            scope.spawn(move || {
                for (text, expected) in texts().iter().zip(golden).skip(client).step_by(CLIENTS / 2)
                {
                    // A blank text is rejected.
                    if text.text.trim().is_empty() {
                        continue;
                    }
                    let difference = largest_difference(&served.embed(&text.text), expected);
                    assert!(difference < FP16_TOLERANCE, "{}: {difference}", text.name);
                }
            });
        }
    });
}

#[test]
fn after_a_stop_signal_the_running_job_finishes_and_the_exit_code_is_zero() {
    for signal in ["TERM", "INT"] {
        let mut served = Served::ready();
        let texts: Vec<&str> = texts().iter().map(|text| text.text.as_str()).collect();
        let texts: Vec<&str> = texts
            .into_iter()
            .filter(|text| !text.trim().is_empty())
            .collect();
        let answer = std::thread::scope(|scope| {
            let running =
                scope.spawn(|| served.run(&json!({"action": "embed_batch", "texts": texts})));
            wait_until("the job to be there", || {
                let jobs = &served.health()["jobs"];
                let held = ["inQueue", "inProgress"].map(|field| jobs[field].as_u64().unwrap());
                held != [0, 0] || running.is_finished()
            });
            served.signal(signal);
            running.join().unwrap()
        });
        assert_eq!(answer["status"], "COMPLETED", "{signal}");
        assert_eq!(served.wait().code(), Some(0), "{signal}");
    }
}

#[test]
fn a_stop_signal_while_the_model_loads_exits_with_zero() {
    for milliseconds in (0..40).step_by(4) {
        let mut served = Served::start(&["--model", "minilm"]);
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        served.stop();
    }
}

#[test]
fn the_probe_answers_while_the_model_loads() {
    let served = Served::start(&["--model", "minilm"]);
    assert!([204, 200].contains(&served.ping()));
    served.wait_for_status(200);
}

#[test]
fn the_log_has_requests_and_never_texts() {
    let mut served = Served::ready();
    served.embed("a secret that nobody may read");
    served.run(&json!({"query": 7, "texts": ["another secret"]}));
    served.signal("TERM");
    served.wait();
    let log = served.log();
    assert!(log.contains("/runsync"), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn a_model_that_cannot_be_loaded_ends_the_program_with_an_error_that_names_it() {
    let mut served = Served::start(&["--model-directory", "/nowhere/at/all"]);
    assert_eq!(served.wait().code(), Some(1));
    let log = served.log();
    assert!(log.contains("/nowhere/at/all"), "{log}");
}

#[test]
fn with_an_endpoint_of_runpod_the_log_has_one_json_object_per_line() {
    let mut command = program();
    command
        .args(["serve", "--host", "127.0.0.1", "--port", "0"])
        .args(["--model", "minilm"])
        .env("RUNPOD_ENDPOINT_ID", "abc123");
    let mut served = Served::spawn(command);
    served.wait_for_status(200);
    let job = served.run(&json!({"query": "a secret that nobody may read"}));
    served.signal("TERM");
    served.wait();
    let lines: Vec<serde_json::Value> = served
        .log()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let of_job = lines.iter().find(|line| line["requestId"] == job["id"]);
    let message = of_job.unwrap()["message"].as_str().unwrap();
    assert!(message.starts_with("job status=COMPLETED"), "{message}");
    for line in &lines {
        let fields: Vec<_> = line.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["level", "message", "requestId"], "{line}");
    }
    assert!(!served.log().contains("secret"));
}
