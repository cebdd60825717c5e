//! The output and failures of the commands other than `serve`.

use std::process::{Output, Stdio};

use crate::support::golden::path;
use crate::support::program::{Served, program};

pub(super) fn run(arguments: &[&str]) -> Output {
    program()
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub(super) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
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
    let instructions = report["instruction_set"].as_str().unwrap();
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
