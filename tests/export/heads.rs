//! The two files of heads: what is exported of them, and what is refused.

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use model::Precision;
use model::export::{self, Options};
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::support::models::{CHECKPOINT_FILES, checkpoint, copy_of};

pub(super) const MODEL: &str = "tiny-xlm-roberta";
pub(super) const SPARSE: &str = "sparse_linear.pt";
pub(super) const COLBERT: &str = "colbert_linear.pt";

pub(super) fn copy(heads: &[&str]) -> TempDir {
    copy_of(MODEL, &[&CHECKPOINT_FILES, heads].concat())
}

fn export(source: &Path, precision: Precision) -> Result<TempDir, export::Error> {
    let target = tempfile::tempdir().unwrap();
    let options = Options {
        name: MODEL.to_owned(),
        precision,
        ..Options::default()
    };
    export::export(source, target.path(), &options)?;
    Ok(target)
}

/// The whole message of the refusal, causes included.
fn refusal(source: &Path) -> String {
    let error = export(source, Precision::Fp32).unwrap_err();
    let causes = std::iter::successors(Some(&error as &dyn Error), |error| (*error).source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

/// The files of a head, as name and content.
pub(super) fn parts(file: &str) -> Vec<(String, Vec<u8>)> {
    let file = fs::File::open(checkpoint(MODEL).join(file)).unwrap();
    let mut archive = ZipArchive::new(file).unwrap();
    let indices = 0..archive.len();
    let part = |index| {
        let mut entry = archive.by_index(index).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.name().unwrap().into_owned(), content)
    };
    indices.map(part).collect()
}

/// Replaces the sparse head of a checkpoint by one with these files.
pub(super) fn write_sparse(directory: &Path, parts: &[(String, Vec<u8>)]) {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new(fs::File::create(directory.join(SPARSE)).unwrap());
    for (name, content) in parts {
        archive.start_file(name.as_str(), options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap();
}

/// The refusal of a sparse head of which one part, whose name ends so, is changed.
fn refusal_with(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let directory = copy(&[SPARSE]);
    let mut parts = parts(SPARSE);
    let part = parts.iter_mut().find(|(found, _)| found.ends_with(name));
    change(&mut part.unwrap().1);
    write_sparse(directory.path(), &parts);
    refusal(directory.path())
}

fn replace(content: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    let start = content
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    content.splice(start..start + from.len(), to.iter().copied());
}

#[test]
fn a_head_written_anew_is_read() {
    let directory = copy(&[SPARSE]);
    write_sparse(directory.path(), &parts(SPARSE));
    export(directory.path(), Precision::Fp32).unwrap();
}

#[test]
fn heads_do_not_change_the_other_weights() {
    for precision in Precision::ALL {
        let with = export(copy(&[SPARSE, COLBERT]).path(), precision).unwrap();
        let without = export(copy(&[]).path(), precision).unwrap();
        let weights =
            |directory: &TempDir| fs::read(directory.path().join("model.onnx.data")).unwrap();
        assert!(weights(&with).starts_with(&weights(&without)));
    }
}

#[test]
fn one_head_alone_is_exported() {
    for (head, outputs) in [
        (
            SPARSE,
            json!({"sparse": true, "colbert": null, "tokens_without_weight": [0, 1, 2, 3]}),
        ),
        (
            COLBERT,
            json!({"sparse": false, "colbert": 48, "tokens_without_weight": [0, 1, 2, 3]}),
        ),
    ] {
        let directory = export(copy(&[head]).path(), Precision::Fp32).unwrap();
        let description = fs::read(directory.path().join("model.json")).unwrap();
        let description: Value = serde_json::from_slice(&description).unwrap();
        assert_eq!(description["heads"], outputs);
    }
}

#[test]
fn a_class_or_function_of_python_is_refused_by_name_and_never_run() {
    let marker = tempfile::tempdir().unwrap();
    let marker = marker.path().join("was run");
    let command = format!("touch {}", marker.display());
    let message = refusal_with("data.pkl", |pickle| {
        let length = u32::try_from(command.len()).unwrap().to_le_bytes();
        *pickle = [
            b"\x80\x02cposix\nsystem\nX",
            length.as_slice(),
            command.as_bytes(),
            b"\x85R.",
        ]
        .concat();
    });
    assert!(
        message.contains(SPARSE) && message.contains("posix.system"),
        "{message}"
    );
    assert!(!marker.exists());
}

#[test]
fn an_instruction_that_a_state_dict_does_not_need_is_refused() {
    let message = refusal_with("data.pkl", |pickle| pickle.insert(2, b'i'));
    assert!(message.contains("instruction 0x69"), "{message}");
}

#[test]
fn a_truncated_pickle_is_refused() {
    let message = refusal_with("data.pkl", |pickle| pickle.truncate(100));
    assert!(
        message.contains(SPARSE) && message.contains("truncated"),
        "{message}"
    );
}

#[test]
fn a_pickle_that_nests_without_end_is_refused() {
    let message = refusal_with("data.pkl", |pickle| {
        *pickle = [b"\x80\x02)".as_slice(), &[0x85; 60_000], b"."].concat();
    });
    assert!(message.contains("nests too deeply"), "{message}");
}

#[test]
fn a_pickle_larger_than_any_head_needs_is_refused() {
    let message = refusal_with("data.pkl", |pickle| pickle.resize(100_000, b'N'));
    assert!(message.contains("more than 65536 bytes"), "{message}");
}

#[test]
fn a_name_that_is_longer_than_any_in_a_head_is_refused() {
    let message = refusal_with("data.pkl", |pickle| {
        let name = [b'a'; 300];
        *pickle = [b"\x80\x02}X\x2c\x01\0\0".as_slice(), &name, b"K\0s."].concat();
    });
    assert!(message.contains("a name is too long"), "{message}");
}

#[test]
fn a_tensor_of_more_axes_than_any_in_a_head_is_refused() {
    let message = refusal_with("data.pkl", |pickle| {
        let sizes = [b"(".as_slice(), &b"K\x01".repeat(9), b"t"].concat();
        let storage =
            b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01tQ";
        *pickle = [
            b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(".as_slice(),
            storage,
            b"K\0",
            &sizes,
            &sizes,
            b"tR.",
        ]
        .concat();
    });
    assert!(message.contains("too many axes"), "{message}");
}

#[test]
fn a_tensor_that_reaches_beyond_its_storage_is_refused() {
    // Its first element is the sixth of the 48.
    let message = refusal_with("data.pkl", |pickle| {
        replace(pickle, b"QK\x00K\x01K\x30\x86", b"QK\x05K\x01K\x30\x86");
    });
    assert!(message.contains("reaches beyond its storage"), "{message}");
}

#[test]
fn a_tensor_that_is_not_all_of_its_storage_is_refused() {
    let message = refusal_with("data.pkl", |pickle| {
        replace(pickle, b"K\x30tq", b"K\x31tq");
    });
    assert!(
        message.contains("has 49 elements") && message.contains("[1, 48]"),
        "{message}"
    );
}

#[test]
fn a_head_for_tokens_of_another_size_is_refused() {
    // 48 columns become 1,048,576, and so does the distance of the rows.
    let message = refusal_with("data.pkl", |pickle| {
        replace(pickle, b"K\x01K\x30\x86", b"K\x01J\x00\x00\x10\x00\x86");
    });
    assert!(
        message.contains("[1, 1048576]") && message.contains("48 floats"),
        "{message}"
    );
}

#[test]
fn a_storage_of_another_size_is_refused() {
    let message = refusal_with("data/0", |storage| storage.truncate(10));
    assert!(message.contains("10 bytes, not 96"), "{message}");
    let message = refusal_with("data/0", |storage| storage.extend([0; 1000]));
    assert!(message.contains("more than 96 bytes"), "{message}");
}

#[test]
fn a_weight_that_is_not_finite_is_refused() {
    let message = refusal_with("data/0", |storage| {
        storage[..2].copy_from_slice(&[0x00, 0x7e])
    });
    assert!(message.contains("not finite"), "{message}");
}

#[test]
fn a_head_of_another_shape_is_refused() {
    let directory = copy(&[COLBERT]);
    fs::rename(
        directory.path().join(COLBERT),
        directory.path().join(SPARSE),
    )
    .unwrap();
    let message = refusal(directory.path());
    assert!(
        message.contains(SPARSE) && message.contains("48 weights a token"),
        "{message}"
    );
}

#[test]
fn a_truncated_file_is_refused() {
    let directory = copy(&[COLBERT]);
    let path = directory.path().join(COLBERT);
    let bytes = fs::read(&path).unwrap();
    for length in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let message = refusal(directory.path());
        assert!(
            message.contains(COLBERT) && message.contains("zip file"),
            "{message}"
        );
    }
}

#[test]
fn a_compressed_file_is_refused() {
    let directory = copy(&[]);
    let mut archive = ZipWriter::new(fs::File::create(directory.path().join(SPARSE)).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in parts(SPARSE) {
        archive.start_file(name, options).unwrap();
        // What it grows to does not matter, because it is not read.
        archive.write_all(&content).unwrap();
        archive.write_all(&vec![0; 1 << 20]).unwrap();
    }
    archive.finish().unwrap();
    let message = refusal(directory.path());
    assert!(message.contains(SPARSE), "{message}");
}
