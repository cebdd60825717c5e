//! The outputs of a model with heads: the real program, over HTTP and as a command.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::golden::{largest_difference, path};
use crate::support::models::checkpoint;
use crate::support::program::{Served, program};

/// The checkpoint with heads.
const MODEL: &str = "tiny-xlm-roberta";
const DIMENSIONS: usize = 48;
const ALL: [&str; 3] = ["dense", "sparse", "colbert"];

/// Its model directory, as `export` writes it.
fn exported() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let status = program()
        .arg("export")
        .arg(checkpoint(MODEL))
        .arg(directory.path().join("model"))
        .args(["--precision", "fp32"])
        .status();
    assert!(status.unwrap().success());
    directory
}

fn serve(directory: &TempDir, environment: &[(&str, String)]) -> Served {
    let model = directory.path().join("model");
    let arguments = ["--model-directory", model.to_str().unwrap()];
    let served = Served::start_in(&arguments, environment);
    served.wait_for_status(200);
    served
}

/// A golden text with its sparse weights.
fn golden(index: usize) -> (String, Value) {
    let json = std::fs::read(path("golden/heads.json")).unwrap();
    let golden: Value = serde_json::from_slice(&json).unwrap();
    let record = &golden["records"][index];
    (
        record["text"].as_str().unwrap().to_owned(),
        record["sparse"].clone(),
    )
}

fn floats(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn from_base64(value: &Value) -> Vec<f32> {
    let bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

#[test]
fn a_query_gets_exactly_what_it_asks_for() {
    let directory = exported();
    let served = serve(&directory, &[]);
    let (text, sparse) = golden(0);
    let output = |outputs: &[&str]| {
        let answer = served.run(&json!({"query": text, "outputs": outputs}));
        assert_eq!(answer["status"], "COMPLETED", "{answer}");
        answer["output"].clone()
    };
    let all = output(&ALL);
    assert_eq!(all.as_object().unwrap().len(), ALL.len());
    for (index, name) in ["embedding", "sparse_embedding", "colbert_embedding"]
        .into_iter()
        .enumerate()
    {
        assert_eq!(output(&[ALL[index]]), json!({name: all[name]}));
    }
    assert_eq!(
        served.run(&json!({"query": text}))["output"],
        output(&["dense"])
    );
    let weights = &all["sparse_embedding"];
    for (id, value) in weights["indices"]
        .as_array()
        .unwrap()
        .iter()
        .zip(floats(&weights["values"]))
    {
        let expected = sparse[id.to_string()].as_f64().unwrap() as f32;
        assert!((value - expected).abs() < 1e-5, "{id}: {value} {expected}");
    }
    assert_eq!(
        weights["indices"].as_array().unwrap().len(),
        sparse.as_object().unwrap().len()
    );
    for row in all["colbert_embedding"].as_array().unwrap() {
        assert_eq!(floats(row).len(), DIMENSIONS);
    }
}

#[test]
fn a_list_gets_the_outputs_of_its_texts_in_their_order() {
    let directory = exported();
    let served = serve(&directory, &[]);
    let texts = [golden(0).0, golden(3).0, golden(5).0];
    let list = served.run(&json!({"action": "embed_batch", "texts": texts, "outputs": ALL}));
    for (index, text) in texts.iter().enumerate() {
        let one = served.run(&json!({"query": text, "outputs": ALL}));
        for name in ["embedding", "sparse_embedding", "colbert_embedding"] {
            assert_eq!(
                list["output"][format!("{name}s")][index],
                one["output"][name]
            );
        }
    }
}

#[test]
fn base64_holds_the_same_numbers() {
    let directory = exported();
    let served = serve(&directory, &[]);
    let (text, _) = golden(0);
    let numbers = &served.run(&json!({"query": text, "outputs": ALL}))["output"];
    let encoded = served.run(&json!({"query": text, "outputs": ALL, "encoding_format": "base64"}));
    let encoded = &encoded["output"];
    assert_eq!(encoded["sparse_embedding"], numbers["sparse_embedding"]);
    assert_eq!(
        from_base64(&encoded["embedding"]),
        floats(&numbers["embedding"])
    );
    let rows = numbers["colbert_embedding"].as_array().unwrap();
    assert_eq!(encoded["colbert_embedding"]["rows"], rows.len());
    let rows: Vec<f32> = rows.iter().flat_map(floats).collect();
    assert_eq!(from_base64(&encoded["colbert_embedding"]["data"]), rows);
}

#[test]
fn a_result_that_would_be_too_large_is_refused_with_its_bytes_before_the_model_runs() {
    let directory = exported();
    let limit = ("RUNPOD_QUERY__LIMITS__RESULT_BYTES", "20000".to_owned());
    let served = serve(&directory, &[limit]);
    let texts = vec!["one two three four five six seven eight nine ten"; 20];
    let input = json!({"action": "embed_batch", "texts": texts, "outputs": ["colbert"]});
    let answer = served.run(&input);
    let error = answer["error"].as_str().unwrap();
    assert!(
        error.starts_with("too_large: the result of 20 texts takes about "),
        "{error}"
    );
    assert!(
        error.contains("the limit is 20000") && error.contains("base64"),
        "{error}"
    );
    let passes = |metrics: &str| {
        let line = metrics
            .lines()
            .find(|line| line.starts_with("runpod_query_batch_texts_count"));
        line.unwrap().to_owned()
    };
    let before = passes(&served.get("/metrics"));
    assert_eq!(served.run(&input)["error"], error);
    assert_eq!(passes(&served.get("/metrics")), before);
}

#[test]
fn the_outputs_of_the_model_are_named_and_counted() {
    let directory = exported();
    let served = serve(&directory, &[]);
    assert_eq!(served.health()["model"]["outputs"], json!(ALL));
    assert_eq!(served.health()["model"]["colbert_dimensions"], DIMENSIONS);
    served.run(&json!({"queries": ["a", "b"], "outputs": ["sparse"]}));
    let metrics = served.get("/metrics");
    assert!(
        metrics.contains("runpod_query_texts_total{output=\"sparse\"} 2\n"),
        "{metrics}"
    );
}

#[test]
fn a_model_without_heads_says_what_it_gives() {
    let served = Served::ready();
    let answer = served.run(&json!({"query": "a", "outputs": ALL}));
    assert_eq!(
        answer["error"],
        "invalid: outputs holds sparse; this model gives dense only"
    );
    assert_eq!(served.health()["model"]["outputs"], json!(["dense"]));
}

#[test]
fn the_command_prints_the_outputs_that_it_is_asked_for() {
    let directory = exported();
    let embed = |arguments: &[&str]| {
        let mut command = program();
        command
            .arg("embed")
            .arg("--model-directory")
            .arg(directory.path().join("model"));
        command.args(arguments).output().unwrap()
    };
    let (text, sparse) = golden(0);
    let printed = embed(&["--outputs", "sparse,colbert", &text]).stdout;
    let line: Value = serde_json::from_slice(&printed).unwrap();
    let names: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(names, ["colbert_embedding", "sparse_embedding", "text"]);
    let values = floats(&line["sparse_embedding"]["values"]);
    let ids = line["sparse_embedding"]["indices"].as_array().unwrap();
    let expected: Vec<f32> = ids
        .iter()
        .map(|id| sparse[id.to_string()].as_f64().unwrap() as f32)
        .collect();
    assert!(largest_difference(&values, &expected) < 1e-5);

    let array = directory.path().join("vectors.npy");
    let refused = embed(&[
        "--outputs",
        "sparse",
        "--output",
        array.to_str().unwrap(),
        &text,
    ]);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        message.contains(".npy") && message.contains("--outputs"),
        "{message}"
    );
}
