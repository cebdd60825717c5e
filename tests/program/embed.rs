//! `embed`: its lines and arrays, and what it does with texts that have no vector.

use serde_json::Value;

use super::commands::{run, stderr};
use crate::checkpoints::checkpoint;
use crate::support::golden::{FP16_TOLERANCE, golden, largest_difference, texts};
use crate::support::program::{floats, program};

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
        assert!(largest_difference(&floats(&line["embedding"]), expected) < FP16_TOLERANCE);
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
    assert!(difference < FP16_TOLERANCE);
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
