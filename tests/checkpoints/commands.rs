//! The commands with checkpoints and directories of other exporters.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use super::fixture::{checkpoint, golden, texts};
use super::foreign;
use crate::support::golden::cosine;
use crate::support::program::{floats, program};

fn run(directory: &Path, arguments: &[&str]) -> Output {
    program()
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The output of a command that succeeds.
fn succeeds(output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a command that fails says.
fn fails(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether a line of `embed` has the vector that SentenceTransformer gives for the first text.
fn is_golden(line: &str, kind: &str) -> bool {
    let line: Value = serde_json::from_str(line).unwrap();
    cosine(&floats(&line["embedding"]), &golden(kind).embeddings[0]) >= super::SMALLEST_COSINE
}

#[test]
fn a_snapshot_exported_from_within_has_the_name_of_its_repository_and_its_prompt() {
    let kind = "saved_by_this_release";
    let cache = tempfile::tempdir().unwrap();
    let snapshots = cache.path().join("models--owner--tiny/snapshots");
    std::fs::create_dir_all(&snapshots).unwrap();
    let snapshot = snapshots.join("5617a9f6");
    std::fs::rename(checkpoint(kind).keep(), &snapshot).unwrap();
    let target = cache.path().join("exported");
    succeeds(run(&snapshot, &["export", ".", target.to_str().unwrap()]));
    let json = std::fs::read(target.join("model.json")).unwrap();
    let description: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(description["name"], "owner/tiny");
    assert_eq!(description["revision"], "5617a9f6");
    assert_eq!(description["prompt"], "What is asked: ");
    let line = succeeds(run(
        &target,
        &["embed", "--model-directory", ".", texts()[0]],
    ));
    assert!(is_golden(&line, kind), "{line}");
}

#[test]
fn pooling_is_an_option_of_export_and_embed() {
    let kind = "without_modules_mean";
    let alone = checkpoint(kind);
    let target = alone.path().join("exported");
    let mut arguments = vec!["export", ".", target.to_str().unwrap()];
    let message = fails(&run(alone.path(), &arguments));
    assert!(message.contains("--pooling"), "{message}");
    arguments.extend(["--pooling", "mean"]);
    succeeds(run(alone.path(), &arguments));
    // The comparison with fp32 exports once more.
    let int8 = ["--pooling", "mean", "--precision", "int8"];
    succeeds(run(
        alone.path(),
        &[&["export", ".", "in-int8"], &int8[..]].concat(),
    ));
    let other = foreign(kind);
    for directory in [target.as_path(), other.path()] {
        let embed = |pooling| {
            let arguments = [
                "embed",
                "--model-directory",
                ".",
                "--pooling",
                pooling,
                texts()[0],
            ];
            run(directory, &arguments)
        };
        let line = succeeds(embed("mean"));
        assert!(is_golden(&line, kind), "{line}");
    }
    let cls = [
        "embed",
        "--model-directory",
        ".",
        "--pooling",
        "cls",
        texts()[0],
    ];
    let message = fails(&run(&target, &cls));
    assert!(message.contains("mean pooling, not cls"), "{message}");
}
