//! The precision that is asked for, and that of the model directory.

use std::path::Path;

use model::Precision;
use model::export::{self, Options};

use crate::support::golden::path;
use crate::support::program::{Served, program};

const VARIABLE: &str = "RUNPOD_QUERY__MODEL__PRECISION";

fn export_into(directory: &Path, precision: Precision) {
    let options = Options {
        name: "tiny-bert".to_owned(),
        revision: None,
        precision,
        pooling: None,
    };
    export::export(&path("fixtures/tiny-bert"), directory, &options).unwrap();
}

/// A model directory in int8.
fn int8() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    export_into(directory.path(), Precision::Int8);
    directory
}

/// A folder of model directories.
fn folder_of(precisions: &[Precision]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for precision in precisions {
        let directory = folder.path().join(precision.to_string());
        std::fs::create_dir(&directory).unwrap();
        export_into(&directory, *precision);
    }
    folder
}

/// The precision that is served from a folder.
fn served(folder: &Path, asked: Option<&str>) -> serde_json::Value {
    let variables = asked.map(|precision| (VARIABLE, precision.to_owned()));
    let arguments = ["--model-directory", folder.to_str().unwrap()];
    let served = Served::start_in(&arguments, variables.as_slice());
    served.wait_for_status(200);
    served.health()["model"]["precision"].clone()
}

#[test]
fn of_a_folder_of_precisions_the_one_that_is_asked_for_is_served() {
    let folder = folder_of(&[Precision::Fp16, Precision::Int8]);
    for (asked, expected) in [
        (None, "fp16"),
        (Some("fp16"), "fp16"),
        (Some("int8"), "int8"),
    ] {
        assert_eq!(served(folder.path(), asked), expected, "{asked:?}");
    }
    let without_default = folder_of(&[Precision::Int8]);
    assert_eq!(served(without_default.path(), None), "int8");
}

#[test]
fn a_precision_that_a_folder_lacks_stops_the_start() {
    let folder = folder_of(&[Precision::Fp16, Precision::Int8]);
    let folder = folder.path().to_str().unwrap();
    let arguments = [
        "embed",
        "a",
        "--precision",
        "fp32",
        "--model-directory",
        folder,
    ];
    let output = program().args(arguments).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    let words = format!("model.precision is fp32, but {folder} holds fp16 and int8");
    assert!(message.contains(&words), "{message}");
}

fn settings_file(folder: &Path, text: &str) -> String {
    let file = folder.join("settings.toml");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_precision_that_is_not_the_model_directorys_stops_the_start() {
    let directory = int8();
    let model = directory.path().to_str().unwrap();
    let file = settings_file(directory.path(), "[model]\nprecision = \"fp32\"");
    let in_file = ["--settings", file.as_str()];
    let as_argument = ["--precision", "fp32"];
    for (arguments, variables) in [
        (&as_argument[..], &[][..]),
        (&in_file, &[]),
        (&[], &[(VARIABLE, "fp32")]),
        // The command line overrides the environment.
        (&as_argument, &[(VARIABLE, "int8")]),
    ] {
        for command in [
            &["serve", "--host", "127.0.0.1", "--port", "0"][..],
            &["embed", "a"],
        ] {
            let output = program()
                .args(command)
                .args(["--model-directory", model])
                .args(arguments)
                .envs(variables.iter().copied())
                .output()
                .unwrap();
            let message = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{message}");
            let words = format!("model.precision is fp32, but the model in {model} is int8");
            assert!(message.contains(&words), "{message}");
        }
    }
}

#[test]
fn the_default_precision_contradicts_no_model_directory() {
    let directory = int8();
    let model = ["--model-directory", directory.path().to_str().unwrap()];
    for asked in [None, Some("int8")] {
        let variables = asked.map(|precision| (VARIABLE, precision.to_owned()));
        let served = Served::start_in(&model, variables.as_slice());
        served.wait_for_status(200);
        assert_eq!(served.health()["model"]["precision"], "int8");
    }
}
