//! The memory that one text takes. It is measured for the whole process, so this is the only test of its program.

#![cfg(target_os = "linux")]

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use model::Tokenizer;

/// Bytes of a text: the largest body of a request.
const TEXT: usize = 20_000_000;
/// Most bytes that a text may take beyond its own.
const LIMIT: usize = 64_000_000;

/// A value of this process in bytes, from the kernel.
fn memory(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        * 1024
}

#[test]
fn a_text_of_the_largest_request_takes_bounded_memory() {
    let max_tokens = NonZeroUsize::new(8192).unwrap();
    for name in ["tiny-bert", "tiny-xlm-roberta"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures")
            .join(name);
        let tokenizer = Tokenizer::load(&folder.join("tokenizer.json"), max_tokens).unwrap();
        for part in [
            ",", "w ", "a", "ﷺ", " ", "☃", "\u{301}", "🇩", "[MASK]", "<mask> ",
        ] {
            let text = part.repeat(TEXT / part.len());
            // The largest use so far becomes the present one.
            fs::write("/proc/self/clear_refs", "5").unwrap();
            let before = memory("VmRSS");
            tokenizer.tokenize(&text).unwrap();
            let taken = memory("VmHWM").saturating_sub(before);
            println!("{name}, {part:?}: {taken}");
            assert!(taken < LIMIT, "{name}, {part:?}: {taken} bytes");
        }
    }
}
