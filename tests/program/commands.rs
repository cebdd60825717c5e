//! The output and failures of the commands other than `serve`.

use std::process::{Output, Stdio};

use serde_json::Value;

use crate::checkpoints::checkpoint;
use crate::support::golden::{golden, largest_difference, path, texts};
use crate::support::program::{Served, floats, program};

fn run(arguments: &[&str]) -> Output {
    program()
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn embed_prints_one_json_line_per_text() {
    let names = ["question_about_a_password", "one_word"];
    let chosen: Vec<usize> = names
        .iter()
        .map(|name| texts().iter().position(|text| text.name == *name).unwrap())
        .collect();
    let mut arguments = vec!["embed", "--model", "minilm"];
    arguments.extend(chosen.iter().map(|&index| texts()[index].text.as_str()));
    let output = run(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), chosen.len());
    for (line, &index) in lines.lines().zip(&chosen) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["text"], texts()[index].text);
        let expected = &golden("minilm").embeddings[index];
        assert!(largest_difference(&floats(&line["embedding"]), expected) < 1e-5);
    }
}

#[test]
fn embed_reads_lines_and_writes_a_numpy_array() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("texts.txt");
    let array = directory.path().join("vectors.npy");
    std::fs::write(&input, "hello\nWhat is machine learning?\n").unwrap();
    let output = run(&[
        "embed",
        "--model",
        "minilm",
        "--input",
        input.to_str().unwrap(),
        "--output",
        array.to_str().unwrap(),
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let array: ndarray::Array2<f32> = ndarray_npy::read_npy(&array).unwrap();
    assert_eq!(array.dim(), (2, 384));
    let question = texts()
        .iter()
        .position(|text| text.text == "What is machine learning?")
        .unwrap();
    let difference = largest_difference(
        &array.row(1).to_vec(),
        &golden("minilm").embeddings[question],
    );
    assert!(difference < 1e-5);
}

#[test]
fn a_text_that_fails_loses_none_before_it() {
    // The tokenizer of RoBERTa cannot divide such a text.
    let directory = tempfile::tempdir().unwrap();
    let model = directory.path().join("model");
    let export = program()
        .arg("export")
        .arg(checkpoint("roberta_without_prefix_space").path())
        .arg(&model)
        .status();
    assert!(export.unwrap().success());
    let texts = directory.path().join("texts");
    let lines = format!("\u{feff}first\nsecond\n{}\nlast\n", "long ".repeat(100_000));
    std::fs::write(&texts, lines).unwrap();
    let embed = |output: &[&str]| {
        let mut command = program();
        command.args(["embed", "--model-directory"]).arg(&model);
        command
            .arg("--input")
            .arg(&texts)
            .args(output)
            .output()
            .unwrap()
    };
    let printed = embed(&[]);
    assert_eq!(printed.status.code(), Some(1));
    let message = String::from_utf8_lossy(&printed.stderr).into_owned();
    assert!(message.contains("text 3 cannot be embedded"), "{message}");
    let lines = String::from_utf8(printed.stdout).unwrap();
    let texts: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].clone())
        .collect();
    assert_eq!(texts, ["first", "second"]);

    let array = directory.path().join("vectors.npy");
    assert_eq!(
        embed(&["--output", array.to_str().unwrap()]).status.code(),
        Some(1)
    );
    let array: ndarray::Array2<f32> = ndarray_npy::read_npy(array).unwrap();
    assert_eq!(array.nrows(), 2);
}

#[test]
fn a_name_that_nobody_can_ask_for_is_refused() {
    for name in ["", ".", "..", " x"] {
        let output = program()
            .args(["export", "--name", name])
            .arg(path("fixtures/tiny-bert"))
            .arg("never made")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{name:?}");
    }
}

#[test]
fn embed_gives_a_blank_line_no_vector_and_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("texts.txt");
    std::fs::write(&input, "hello\n \nhello\n\n").unwrap();
    let embed = |arguments: &[&str]| {
        let common = [
            "embed",
            "--model",
            "minilm",
            "--input",
            input.to_str().unwrap(),
        ];
        let output = run(&[&common, arguments].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let lines = String::from_utf8(output.stdout.clone()).unwrap();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        (lines.collect::<Vec<Value>>(), stderr(&output))
    };
    let (lines, message) = embed(&[]);
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0], lines[2]);
    assert_eq!(
        lines[1],
        serde_json::json!({"text": " ", "embedding": null})
    );
    assert!(lines[3]["embedding"].is_null());
    let words = "2 lines are blank and written without an embedding: 2, 4";
    assert!(message.contains(words), "{message}");

    let (lines, message) = embed(&["--skip-blank"]);
    assert_eq!(lines.len(), 2);
    assert!(message.contains("left out: 2, 4"), "{message}");

    let array = directory.path().join("vectors.npy");
    embed(&["--output", array.to_str().unwrap()]);
    let array: ndarray::Array2<f32> = ndarray_npy::read_npy(&array).unwrap();
    assert_eq!(array.dim(), (4, 384));
    let blank = array
        .rows()
        .into_iter()
        .map(|row| row.iter().all(|value| value.is_nan()));
    assert_eq!(blank.collect::<Vec<_>>(), [false, true, false, true]);
}

#[test]
fn the_options_of_serve_need_no_command() {
    let mut command = program();
    command.args(["--model", "minilm", "--host", "127.0.0.1", "--port", "0"]);
    let served = Served::spawn(command);
    served.wait_for_status(200);
    assert_eq!(served.health()["model"]["name"], "minilm");
    let output = run(&["--model", "minilm", "embed", "hello"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("before the command"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_exported_model_directory_can_be_served() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("tiny");
    let checkpoint = path("fixtures/tiny-xlm-roberta");
    let arguments = [
        "export",
        checkpoint.to_str().unwrap(),
        target.to_str().unwrap(),
    ];
    let output = run(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let served = Served::start(&["--model-directory", target.to_str().unwrap()]);
    served.wait_for_status(200);
    assert_eq!(served.embed("hello").len(), 48);

    let again = run(&arguments);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("exists already"));
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        1,
        "nothing else is left"
    );
}

#[test]
fn the_measured_quality_of_an_int8_model_is_shown_by_health() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("tiny");
    let checkpoint = path("fixtures/tiny-xlm-roberta");
    let output = run(&[
        "export",
        checkpoint.to_str().unwrap(),
        target.to_str().unwrap(),
        "--precision",
        "int8",
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let report = std::fs::read(target.join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["sentences"], 100);
    let served = Served::start(&["--model-directory", target.to_str().unwrap()]);
    served.wait_for_status(200);
    assert_eq!(served.health()["model"]["quality"], report);
    let instructions = report["byte_products"].as_str().unwrap();
    served.wait_for_log(instructions);
}

#[test]
fn export_rejects_an_invalid_checkpoint_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("model");
    let output = run(&[
        "export",
        directory.path().to_str().unwrap(),
        target.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("config.json"),
        "{}",
        stderr(&output)
    );
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn golden_accepts_the_right_model_and_rejects_another() {
    let fetched = run(&["fetch", "minilm"]);
    let directory = String::from_utf8(fetched.stdout).unwrap();
    let right = run(&["golden", directory.trim(), "--model", "minilm"]);
    assert!(right.status.success(), "{}", stderr(&right));
    assert!(String::from_utf8_lossy(&right.stdout).contains("agrees"));

    let wrong = run(&["golden", directory.trim(), "--model", "bge-m3"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stdout).contains("DIFFERS"));
    assert!(stderr(&wrong).contains("published values differ"));
}

#[test]
fn health_says_whether_a_server_is_ready() {
    let served = Served::ready();
    let ready = run(&["health", "--url", &served.url("")]);
    assert_eq!(
        (ready.status.code(), ready.stdout.as_slice()),
        (Some(0), b"ready\n".as_slice())
    );
    let url = served.url("");
    let unreachable = "http://127.0.0.1:1";
    let with_a_proxy = program()
        .args(["health", "--url", &url])
        .envs([("http_proxy", unreachable), ("HTTP_PROXY", unreachable)])
        .envs([("all_proxy", unreachable), ("ALL_PROXY", unreachable)])
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output()
        .unwrap();
    assert!(with_a_proxy.status.success(), "{}", stderr(&with_a_proxy));
    assert_eq!(
        run(&["health", "--url", unreachable]).status.code(),
        Some(1)
    );
}

#[test]
fn offline_names_the_missing_file_and_how_to_download_it() {
    let empty = tempfile::tempdir().unwrap();
    let output = program()
        .args(["embed", "--model", "minilm", "--offline", "hello"])
        .env("RUNPOD_QUERY__ARTIFACTS__CACHE_DIRECTORY", empty.path())
        .env_remove("ORT_DYLIB_PATH")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(
        message.contains("minilm") && message.contains("runpod-query fetch"),
        "{message}"
    );
}

#[test]
fn an_error_in_the_arguments_or_settings_is_named() {
    for (arguments, variable, code, named) in [
        (
            &["embed", "--model", "bert", "hello"][..],
            None,
            1,
            "minilm",
        ),
        (
            &["embed", "--model", "minilm", " "],
            None,
            1,
            "text 1 is blank",
        ),
        (&["embed", "--model", "minilm"], None, 1, "no text"),
        (
            &["embed", "--model", "minilm", "--input", "/no/such/file"],
            None,
            1,
            "/no/such/file",
        ),
        (&["serve", "--port", "http"], None, 2, "--port"),
        (&["sing"], None, 2, "sing"),
        (
            &["openapi"],
            Some(("RUNPOD_QUERY__SERVER__PROT", "1")),
            1,
            "prot",
        ),
        (
            &["openapi", "--settings", "/no/such/file"],
            None,
            1,
            "/no/such/file",
        ),
    ] {
        let mut command = program();
        command.args(arguments).envs(variable).stdin(Stdio::null());
        let output = command.output().unwrap();
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
        assert!(message.contains(named), "{arguments:?}: {message}");
        assert!(!message.contains("panicked"), "{message}");
    }
}

#[test]
fn the_checked_in_openapi_document_is_what_openapi_prints() {
    let output = run(&["openapi"]);
    let checked_in = std::fs::read(path("../openapi/openapi.json")).unwrap();
    assert!(
        output.stdout == checked_in,
        "openapi/openapi.json is stale: cargo run -- openapi > openapi/openapi.json"
    );
}
