//! The command, with the real program and the tiny model.

use serde_json::Value;

use crate::support::models::checkpoint;
use crate::support::program::{Served, program};

/// A model directory of the tiny XLM-RoBERTa model.
fn tiny_model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let exported = program()
        .arg("export")
        .arg(checkpoint("tiny-xlm-roberta"))
        .arg(folder.path().join("model"))
        .status();
    assert!(exported.unwrap().success());
    folder
}

/// The document that `bench --quick --json` prints.
fn document(arguments: &[&str]) -> Value {
    let output = program()
        .args(["bench", "--quick", "--json"])
        .args(arguments)
        .output()
        .unwrap();
    let progress = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{progress}");
    assert!(progress.contains("measuring: latency"), "{progress}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_measured(document: &Value) {
    let tokens = |entry: &Value| entry["tokens"].as_u64().unwrap();
    let latency: Vec<u64> = document["latency"]
        .as_array()
        .unwrap()
        .iter()
        .map(tokens)
        .collect();
    assert_eq!(latency, [4, 12, 32]);
    assert_eq!(document["throughput"].as_array().unwrap().len(), 6);
    for list in ["latency", "throughput", "batches"] {
        for entry in document[list].as_array().unwrap() {
            assert!(entry["samples"].as_u64().unwrap() > 0, "{list}: {entry}");
            assert_eq!(entry["errors"], 0, "{list}: {entry}");
        }
    }
}

#[test]
fn a_server_of_its_own_is_measured_from_its_start_to_its_memory() {
    let folder = tiny_model();
    let directory = folder.path().join("model");
    let document = document(&["--long", "--model-directory", directory.to_str().unwrap()]);
    assert_measured(&document);
    assert_eq!(document["token_counts_are_exact"], true);
    assert_eq!(document["long_text"]["tokens"], 64);
    assert!(document["cold_start"]["p50_seconds"].as_f64().unwrap() > 0.0);
    let memory = |field: &str| document["memory"][field].as_u64().unwrap();
    assert!(memory("peak_bytes") >= memory("idle_bytes"));
    let written: u64 = ["model.onnx", "model.onnx.data"]
        .map(|file| std::fs::metadata(directory.join(file)).unwrap().len())
        .iter()
        .sum();
    let word_table = 702 * 48 * 4;
    let matrices = document["model"]["matrix_bytes"].as_u64().unwrap();
    assert!(
        matrices > 0 && matrices + word_table < written,
        "{matrices}"
    );
    assert_eq!(document["targets"], Value::Array(Vec::new()));
}

#[test]
fn a_running_server_is_measured_with_texts_of_estimated_length() {
    let folder = tiny_model();
    let directory = folder.path().join("model");
    let served = Served::start(&["--model-directory", directory.to_str().unwrap()]);
    let document = document(&["--url", &served.url("")]);
    assert_measured(&document);
    assert_eq!(document["token_counts_are_exact"], false);
    assert_eq!(document["model"]["name"], "tiny-xlm-roberta");
    for absent in ["cold_start", "memory", "floor_milliseconds"] {
        assert!(document[absent].is_null(), "{absent}");
    }
}
