//! The same checkpoint gives the same bytes.

use runpod_query::config::Precision;
use runpod_query::export::{Options, export};

use crate::support::models::checkpoint;

#[test]
fn two_exports_of_one_checkpoint_are_identical() {
    let written = ["first", "second"].map(|_| {
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            name: "tiny".to_owned(),
            revision: None,
            precision: Precision::Fp32,
        };
        export(&checkpoint("tiny-xlm-roberta"), directory.path(), &options).unwrap();
        [
            "model.json",
            "model.onnx",
            "model.onnx.data",
            "tokenizer.json",
        ]
        .map(|file| std::fs::read(directory.path().join(file)).unwrap())
    });
    assert!(written[0] == written[1]);
    assert!(!written[0][1].is_empty());
}
