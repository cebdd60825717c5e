//! What is around the program: variables, files and readers that are not as one would wish.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Output, Stdio};

use crate::support::program::program;

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_file_that_is_no_toml_is_an_error_that_shows_where_and_not_what() {
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
fn a_reader_who_goes_ends_the_program_without_a_word() {
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
fn an_error_that_nobody_reads_is_an_exit_code_all_the_same() {
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
fn a_variable_that_is_not_unicode_is_named_where_it_is_a_setting_and_else_ignored() {
    let not_unicode = OsStr::from_bytes(b"\xff");
    let openapi_with = |variable: &OsStr| {
        let mut command = program();
        command.arg("openapi").env(variable, not_unicode);
        command.output().unwrap()
    };
    for nobodys in [OsStr::new("SOMEBODYS"), OsStr::from_bytes(b"\xfe")] {
        let output = openapi_with(nobodys);
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
