//! Invalid variables and settings files, and closed outputs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Output, Stdio};

use crate::support::program::program;

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_toml_syntax_error_shows_the_position_and_not_the_text() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("settings.toml");
    for (text, place) in [
        ("[server]\napi_key = \"topsecret\n", "line 2, column"),
        ("api_key = topsecret", "line 1, column"),
        ("[worker]\n\n  \u{e4} topsecret", "line 3, column"),
        ("topsecret", "line 1, column"),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = program()
            .args(["openapi", "--settings", file.to_str().unwrap()])
            .output()
            .unwrap();
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{message}");
        for words in [file.to_str().unwrap(), place] {
            assert!(message.contains(words), "{words}: {message}");
        }
        assert!(!message.contains("topsecret"), "{message}");
    }
}

#[test]
fn a_closed_standard_output_ends_the_program_silently() {
    for arguments in [&["openapi"][..], &["embed", "--model", "minilm", "hello"]] {
        let mut command = program();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command
            .args(arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .env("RUNPOD_QUERY__LOG__FILTER", "error")
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert_eq!(output.status.code(), Some(141), "{arguments:?}");
        assert_eq!(stderr(&output), "", "{arguments:?}");
    }
}

#[test]
fn a_closed_standard_error_does_not_change_the_exit_code() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = program();
    let status = command
        .args(["openapi", "--settings", "/no/such/file"])
        .stderr(writer)
        .status();
    assert_eq!(status.unwrap().code(), Some(1));
}

#[test]
fn a_variable_that_is_not_unicode_is_an_error_only_if_it_is_a_setting() {
    let not_unicode = OsStr::from_bytes(b"\xff");
    let openapi_with = |variable: &OsStr| {
        let mut command = program();
        command.arg("openapi").env(variable, not_unicode);
        command.output().unwrap()
    };
    for other in [OsStr::new("OTHER_VARIABLE"), OsStr::from_bytes(b"\xfe")] {
        let output = openapi_with(other);
        assert!(output.status.success(), "{}", stderr(&output));
    }
    for setting in [
        "RUNPOD_QUERY__LOG__FILTER",
        "PORT",
        "RUNPOD_POD_ID",
        "RUNPOD_WEBHOOK_GET_JOB",
        "RUNPOD_REALTIME_PORT",
    ] {
        let output = openapi_with(OsStr::new(setting));
        assert_eq!(output.status.code(), Some(1), "{setting}");
        let message = stderr(&output);
        assert!(
            message.starts_with(&format!("error: {setting} is not Unicode")),
            "{message}"
        );
    }
}
