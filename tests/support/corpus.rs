//! Runs what the fuzz target of a name has kept in `fuzz/corpus`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Gives every entry of a corpus to `target`; fails with the names of those that make it panic.
#[track_caller]
pub fn run(root: &str, name: &str, target: impl Fn(&[u8])) {
    let directory = Path::new(root).join("fuzz/corpus").join(name);
    let mut failed = Vec::new();
    let mut entries = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        entries += 1;
        // Each entry is independent of what an earlier one left behind.
        if catch_unwind(AssertUnwindSafe(|| target(&bytes))).is_err() {
            failed.push(path);
        }
    }
    assert!(failed.is_empty(), "these entries fail: {failed:#?}");
    assert!(entries > 0, "{} is empty", directory.display());
}
