//! The command, with the real program and the tiny model.

use std::path::Path;
use std::process::Command;

use bench::Baseline;
use serde_json::Value;

use crate::support::models::{checkpoint, runtime_library};
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
    run(program()
        .args(["bench", "--quick", "--json"])
        .args(arguments))
}

fn run(command: &mut Command) -> Value {
    let output = command.output().unwrap();
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
    let repeated = &document["repeated_query"];
    assert!(repeated["samples"].as_u64().unwrap() > 0, "{repeated}");
    assert_eq!(repeated["errors"], 0, "{repeated}");
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
    assert_eq!(document["flood"]["samples"], 3);
    assert_eq!(document["flood"]["errors"], 0);
    assert!(document["cold_start"]["p50_seconds"].as_f64().unwrap() > 0.0);
    let memory = |field: &str| document["memory"][field].as_u64().unwrap();
    assert!(memory("peak_bytes") >= memory("idle_bytes"));
    let written: u64 = ["model.onnx", "model.onnx.data"]
        .map(|file| std::fs::metadata(directory.join(file)).unwrap().len())
        .iter()
        .sum();
    let word_table = 702 * 48 * 2;
    let matrices = document["model"]["matrix_bytes"].as_u64().unwrap();
    assert!(
        matrices > 0 && matrices + word_table < written,
        "{matrices}"
    );
    assert_eq!(document["format"], 2);
    let ratio = &document["ratios"][0];
    assert_eq!(ratio["against"], "the floor");
    assert!(ratio["ratio"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_running_server_is_measured_with_texts_of_estimated_length() {
    let folder = tiny_model();
    let directory = folder.path().join("model");
    let served = Served::start(&["--model-directory", directory.to_str().unwrap()]);
    let document = document(&["--url", &served.url("")]);
    assert_measured(&document);
    // Only the repeated query has come from the cache: each of its samples, and no other.
    let metrics = served.get("/metrics");
    let hits = metrics
        .lines()
        .find_map(|line| line.strip_prefix("runpod_query_cache_hits_total "));
    assert_eq!(
        hits,
        Some(document["repeated_query"]["samples"].to_string().as_str())
    );
    assert_eq!(document["token_counts_are_exact"], false);
    assert_eq!(document["model"]["name"], "tiny-xlm-roberta");
    for absent in ["cold_start", "memory", "floor_milliseconds"] {
        assert!(document[absent].is_null(), "{absent}");
    }
}

#[test]
fn a_synthetic_model_is_made_in_the_cache_and_measured() {
    let cache = tempfile::tempdir().unwrap();
    let mut command = program();
    command
        .args([
            "bench",
            "--quick",
            "--json",
            "--offline",
            "--synthetic",
            "small",
        ])
        .args(["--precision", "int8"])
        .env("RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY", cache.path())
        .env("ORT_DYLIB_PATH", runtime_library());
    let document = run(&mut command);
    assert_eq!(document["model"]["name"], "small-synthetic");
    assert_eq!(document["model"]["precision"], "int8");
    assert_eq!(document["latency"].as_array().unwrap().len(), 4);
    assert!(
        cache
            .path()
            .join("checkpoints/small-synthetic-1/model.safetensors")
            .is_file()
    );
}

#[test]
fn choices_that_exclude_each_other_are_refused() {
    for arguments in [
        ["--synthetic", "bge-m3", "--model", "minilm"],
        ["--synthetic", "bge-m3", "--model-directory", "."],
        ["--synthetic", "bge-m3", "--url", "http://127.0.0.1:1"],
    ] {
        let output = program().arg("bench").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn numbers_of_threads_are_compared_one_server_after_another() {
    let folder = tiny_model();
    let directory = folder.path().join("model");
    let document = document(&[
        "--threads",
        "1,2",
        "--model-directory",
        directory.to_str().unwrap(),
    ]);
    let threads = document["threads"].as_array().unwrap();
    assert_eq!(threads.len(), 2);
    for (entry, number) in threads.iter().zip([1, 2]) {
        assert_eq!(entry["threads"], number);
        assert_eq!(entry["latency"][1]["tokens"], 12);
        assert!(entry["latency"][1]["p50_milliseconds"].as_f64().unwrap() > 0.0);
        assert_eq!(entry["throughput"].as_array().unwrap().len(), 6);
    }
    assert!(document["floor_milliseconds"].as_f64().unwrap() > 0.0);
    assert_eq!(document["latency"].as_array().unwrap().len(), 0);
}

#[test]
fn a_number_of_threads_that_cannot_be_measured_is_refused_with_the_limit() {
    for (arguments, words) in [
        (
            ["--threads", "1,0", "--quick"],
            "invalid value '0' for '--threads <NUMBERS>': a number of threads is 1 to 1024",
        ),
        (
            ["--threads", "2,5000", "--quick"],
            "invalid value '5000' for '--threads <NUMBERS>': a number of threads is 1 to 1024",
        ),
        (["--threads", "1,,2", "--quick"], "--threads <NUMBERS>"),
        (
            ["--threads", "2", "--url=http://127.0.0.1:1"],
            "cannot be used with '--url <URL>'",
        ),
        (
            ["--threads", "1,2", "--long"],
            "--long and --baseline are for one number of --threads",
        ),
        (
            ["--threads", "1,2", "--baseline=x"],
            "--long and --baseline are for one number of --threads",
        ),
    ] {
        let output = program().arg("bench").args(arguments).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_comparison_with_other_runtimes_is_a_baseline() {
    // The run that the documentation shows, written by benches/compare.py.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/figures/comparison.json");
    let baseline = Baseline::read(&path).unwrap();
    assert!(!baseline.alternatives().is_empty());
    for alternative in baseline.alternatives() {
        let query = alternative.latency.iter().find(|entry| entry.tokens == 12);
        assert!(query.unwrap().samples > 0, "{}", alternative.name);
        assert_eq!(alternative.throughput[0].clients, 1);
        assert!(alternative.batches.iter().any(|entry| entry.texts == 32));
    }
}
