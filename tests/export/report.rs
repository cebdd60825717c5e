//! What is measured of a rounded model and left beside it.

use std::collections::BTreeSet;
use std::path::Path;

use kernels::gemm::{fp32, int8};
use model::Precision;
use model::export::{Options, export_and_check};
use model::{ModelDirectory, QualityReport, load_runtime};

use crate::support::models::{checkpoint, runtime_library};

const MODEL: [&str; 4] = [
    "model.json",
    "model.onnx",
    "model.onnx.data",
    "tokenizer.json",
];

fn export_in(precision: Precision) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        name: "tiny".to_owned(),
        revision: None,
        precision,
        pooling: None,
    };
    let environment = load_runtime(&runtime_library()).unwrap();
    let source = checkpoint("tiny-xlm-roberta");
    export_and_check(&source, directory.path(), &options, &environment).unwrap();
    directory
}

fn files(directory: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn report(directory: &Path) -> Option<QualityReport> {
    QualityReport::read(&ModelDirectory::open(directory).unwrap()).unwrap()
}

#[test]
fn an_int8_export_leaves_the_model_and_its_report_and_nothing_else() {
    let directory = export_in(Precision::Int8);
    let expected = MODEL.into_iter().chain(["report.json"]).map(str::to_owned);
    assert_eq!(files(directory.path()), expected.collect());
    let report = report(directory.path()).unwrap();
    assert_eq!(report.sentences, 100);
    assert_eq!(
        report.instruction_set,
        int8::InstructionSet::detect().name()
    );
    assert!(report.worst_cosine <= report.mean_cosine && report.mean_cosine < 1.0);
    assert!(report.mean_cosine > 0.9, "{report:?}");
    assert!((0.0..=1.0).contains(&report.top_10_overlap), "{report:?}");
    assert!(report.seconds > 0.0);
}

#[test]
fn an_fp16_export_has_a_report_too() {
    let directory = export_in(Precision::Fp16);
    let report = report(directory.path()).unwrap();
    assert_eq!(
        report.instruction_set,
        fp32::InstructionSet::detect().name()
    );
    assert_eq!(report.kept_in_fp32, [""; 0]);
    assert!(report.worst_cosine <= report.mean_cosine && report.mean_cosine < 1.0);
    assert!(report.worst_cosine > 0.9998, "{report:?}");
}

#[test]
fn the_report_of_a_model_with_heads_says_how_close_their_outputs_are() {
    let report = report(export_in(Precision::Int8).path()).unwrap();
    let heads = report.heads.unwrap();
    let (sparse, colbert) = (heads.sparse.unwrap(), heads.colbert.unwrap());
    assert!(
        (0.8..1.0).contains(&sparse.top_10_token_overlap),
        "{sparse:?}"
    );
    for errors in [sparse.lexical_score, colbert.colbert_score] {
        assert!(
            0.0 < errors.mean && errors.mean <= errors.worst,
            "{errors:?}"
        );
        assert!(errors.worst < 0.2, "{errors:?}");
    }
}

#[test]
fn an_fp32_export_is_the_reference_and_has_no_report() {
    let directory = export_in(Precision::Fp32);
    assert_eq!(files(directory.path()), MODEL.map(str::to_owned).into());
    assert_eq!(report(directory.path()), None);
}
