//! The kinds of checkpoints that `tests/fixtures/make_checkpoints.py` makes, as directories that can be exported.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::support::golden;

/// What SentenceTransformer gives for the texts, and which files of its base a kind has.
#[derive(Deserialize)]
pub struct Golden {
    base: String,
    removed: Vec<PathBuf>,
    pub token_ids: Vec<Vec<u32>>,
    pub embeddings: Vec<Vec<f32>>,
}

const GOLDEN: &str = "golden.json";

fn fixture(folder: &str) -> PathBuf {
    golden::path("fixtures").join(folder)
}

/// Folder of a kind, under `tests/fixtures`.
fn folder(kind: &str) -> String {
    format!("checkpoints/{kind}")
}

/// Names of all kinds.
pub fn kinds() -> Vec<String> {
    let entries = std::fs::read_dir(fixture(&folder(""))).unwrap();
    entries
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

/// The texts of the golden vectors, in their order.
pub fn texts() -> Vec<&'static str> {
    let names = std::fs::read(fixture(&folder("texts.json"))).unwrap();
    let names: Vec<String> = serde_json::from_slice(&names).unwrap();
    let text = |name: &String| golden::texts().iter().find(|text| text.name == *name);
    let found = names.iter().map(|name| text(name).unwrap().text.as_str());
    found.collect()
}

/// The golden values of a kind.
pub fn golden(kind: &str) -> Golden {
    read_golden(&folder(kind)).unwrap()
}

/// A kind's checkpoint, assembled from its base and its own files.
pub fn checkpoint(kind: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    assemble(&folder(kind), directory.path());
    directory
}

/// `None` for a fixture without a base.
fn read_golden(folder: &str) -> Option<Golden> {
    let path = fixture(folder).join(GOLDEN);
    let json = path.exists().then(|| std::fs::read(path).unwrap())?;
    Some(serde_json::from_slice(&json).unwrap())
}

fn assemble(folder: &str, target: &Path) {
    if let Some(golden) = read_golden(folder) {
        assemble(&golden.base, target);
        for path in golden.removed {
            std::fs::remove_file(target.join(path)).unwrap();
        }
    }
    copy_all(&fixture(folder), target);
}

fn copy_all(source: &Path, target: &Path) {
    std::fs::create_dir_all(target).unwrap();
    for entry in std::fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        let to = target.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &to);
        } else if entry.file_name() != GOLDEN {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
