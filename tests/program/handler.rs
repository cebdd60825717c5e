//! Flags and local jobs, as in handlers written with RunPod's package.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::golden::largest_difference;
use crate::support::program::{Served, floats, program};

const QUEUE: &str = "RUNPOD_WEBHOOK_GET_JOB";
/// A queue without a listener.
const UNREACHABLE: &str = "http://127.0.0.1:1/job-take/$ID";

/// The program in `directory`, with the small real model set in the environment, as for a worker.
fn in_directory(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = program();
    command
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .env("RUNPOD_QUERY__MODEL__NAME", "minilm")
        // A worker does not start without it; alone it does not make the program a worker.
        .env(
            "RUNPOD_WEBHOOK_POST_OUTPUT",
            "http://127.0.0.1:1/job-done/$ID",
        )
        .env_remove(QUEUE);
    command
}

/// As [`in_directory`], for a command that serves.
fn serving(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = in_directory(directory, arguments);
    command
        .env("RUNPOD_QUERY__SERVER__HOST", "127.0.0.1")
        .env("RUNPOD_QUERY__SERVER__PORT", "0");
    command
}

fn printed(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_job_in_the_arguments_runs_even_if_a_queue_is_set() {
    let directory = tempfile::tempdir().unwrap();
    let output = in_directory(
        directory.path(),
        &["--test_input", r#"{"input":{"queries":["hello"]}}"#],
    )
    .env(QUEUE, UNREACHABLE)
    .output()
    .unwrap();
    let printed = printed(&output);
    assert_eq!(printed["id"], "local_test");
    let embed = in_directory(directory.path(), &["embed", "hello"])
        .output()
        .unwrap();
    let line: Value = serde_json::from_slice(&embed.stdout).unwrap();
    let difference = largest_difference(
        &floats(&printed["output"]["embeddings"][0]),
        &floats(&line["embedding"]),
    );
    assert!(difference < 1e-5);
}

#[test]
fn the_job_in_the_file_runs_if_there_is_no_command() {
    let directory = tempfile::tempdir().unwrap();
    let job = json!({"id": "mine", "input": {"action": "health_check"}});
    std::fs::write(directory.path().join("test_input.json"), job.to_string()).unwrap();
    let output = in_directory(directory.path(), &[]).output().unwrap();
    assert_eq!(
        printed(&output),
        json!({"id": "mine", "output": {"status": "ok", "endpoint": "query", "runtime": "onnx-cpu"}})
    );
    let typed = r#"{"input":{"action":"health_check"}}"#;
    let output = in_directory(directory.path(), &["--test_input", typed]).output();
    assert_eq!(printed(&output.unwrap())["id"], "local_test");
}

#[test]
fn a_server_ignores_the_job_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("test_input.json"), "not a job").unwrap();
    for arguments in [&["serve"][..], &["--rp_serve_api"]] {
        let served = Served::spawn(serving(directory.path(), arguments));
        assert!([200, 204].contains(&served.ping()), "{arguments:?}");
    }
    for queue in [QUEUE, "RUNPOD_QUERY__WORKER__GET_JOB_URL"] {
        let mut worker = serving(directory.path(), &[]);
        worker.env(queue, UNREACHABLE);
        assert!(
            [200, 204].contains(&Served::spawn(worker).ping()),
            "{queue}"
        );
    }
}

#[test]
fn an_invalid_job_is_a_failure_with_its_reason() {
    let directory = tempfile::tempdir().unwrap();
    for (job, words) in [
        ("{", "--test_input is not a job"),
        ("{}", "--test_input has no input"),
        (r#"{"input":null}"#, "--test_input has no input"),
        (r#"{"input":{"query":" "}}"#, "invalid: query is blank"),
        (r#"{"input":"secret"}"#, "input is a string"),
    ] {
        let output = in_directory(directory.path(), &["--test_input", job])
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{job}: {message}");
        assert!(message.contains(words), "{job}: {message}");
        assert!(!message.contains("secret"), "{message}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_development_server_listens_on_the_address_of_its_flags() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = serving(
        directory.path(),
        &[
            "--rp_serve_api",
            "--rp_api_host=127.0.0.1",
            "--rp_api_port",
            "0",
            "--rp_api_concurrency",
            "1",
            "--rp_log_level",
            "DEBUG",
            "--rp_debugger",
        ],
    );
    command
        .env("RUNPOD_QUERY__SERVER__HOST", "192.0.2.1")
        .env("RUNPOD_QUERY__SERVER__PORT", "1");
    let served = Served::spawn(command);
    assert!(served.address().starts_with("127.0.0.1:"));
    served.wait_for_status(200);
    assert_eq!(
        served.run(&json!({"action": "health_check"}))["status"],
        "COMPLETED"
    );
}

#[test]
fn a_worker_ignores_unknown_arguments_and_logs_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--from-the-platform=secret", "secret"];
    let mut command = serving(directory.path(), &arguments);
    command.env(QUEUE, UNREACHABLE);
    let mut served = Served::spawn(command);
    assert!([200, 204].contains(&served.ping()));
    served.stop();
    let log = served.log();
    assert!(log.contains("--from-the-platform"), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn a_worker_starts_with_any_arguments_that_the_platform_appends() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        &["--rp_log_level", "INFO", "--rp_log_level", "INFO"][..],
        &["serve", "--model", "minilm", "--model", "minilm"],
        &["--rp_serve_api=1"],
        &["--rp_log_level", "TRACE"],
        &["--rp_log_level", "NotSet"],
        &["--rp_log_level", "secret"],
        &["serve", "--rp_api_port=secret", "--rp_log_level"],
    ] {
        let mut command = serving(directory.path(), arguments);
        command.env(QUEUE, UNREACHABLE);
        let mut served = Served::spawn(command);
        assert!([200, 204].contains(&served.ping()), "{arguments:?}");
        served.stop();
        let log = served.log();
        assert!(!log.contains("secret"), "{log}");
        if arguments.concat().contains('=') {
            assert!(log.contains("ignored arguments: \"--rp_"), "{log}");
        }
    }
}

#[test]
fn the_level_info_leaves_out_messages_of_the_http_library() {
    let directory = tempfile::tempdir().unwrap();
    for (level, is_logged) in [("INFO", false), ("DEBUG", true)] {
        let mut served = Served::spawn(serving(
            directory.path(),
            &["serve", "--rp_log_level", level],
        ));
        served.signal("TERM");
        served.wait();
        let log = served.log();
        assert_eq!(log.contains("actix_server"), is_logged, "{level}: {log}");
    }
}

#[test]
fn without_a_queue_an_unknown_argument_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        &["serve", "--from-the-platform"][..],
        &["--from-the-platform"],
        &["openapi", "--rp_serve_api"],
        &["embed", "--test_input", "{}", "hello"],
    ] {
        let output = in_directory(directory.path(), arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    // With a realtime port the program is not a worker.
    let output = in_directory(directory.path(), &["--from-the-platform"])
        .env(QUEUE, UNREACHABLE)
        .env("RUNPOD_REALTIME_PORT", "8001")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}
