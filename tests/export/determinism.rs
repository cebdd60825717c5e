//! The same checkpoint gives the same bytes.

use model::Precision;
use model::export::{Options, export};

use crate::support::models::checkpoint;

/// Exports the fixture twice and compares every file.
fn two_exports_are_identical(fixture: &str, precision: Precision) {
    let written = ["first", "second"].map(|_| {
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            name: "tiny".to_owned(),
            revision: None,
            precision,
            pooling: None,
        };
        export(&checkpoint(fixture), directory.path(), &options).unwrap();
        [
            "model.json",
            "model.onnx",
            "model.onnx.data",
            "tokenizer.json",
        ]
        .map(|file| std::fs::read(directory.path().join(file)).unwrap())
    });
    assert!(written[0] == written[1], "{fixture} in {precision}");
    assert!(!written[0][1].is_empty());
}

#[test]
fn two_exports_of_one_checkpoint_are_identical() {
    two_exports_are_identical("tiny-xlm-roberta", Precision::Fp32);
}

#[test]
fn two_fp16_exports_of_one_checkpoint_are_identical() {
    two_exports_are_identical("tiny-xlm-roberta", Precision::Fp16);
}

#[test]
fn two_int8_exports_of_one_checkpoint_are_identical() {
    for fixture in ["tiny-xlm-roberta", "tiny-bert"] {
        two_exports_are_identical(fixture, Precision::Int8);
    }
}
