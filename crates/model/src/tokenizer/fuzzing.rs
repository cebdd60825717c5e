//! The ids of a divided text against those of `tokenizers` for the whole text, for fuzzing and for tests.

use std::num::NonZeroUsize;
use std::sync::LazyLock;

use serde_json::Value;

use super::Tokenizer;
use super::descriptions::descriptions;

/// Most tokens and bytes of a chunk.
pub const SIZES: [(usize, usize); 6] =
    [(2, 4), (5, 16), (128, 61), (512, 5), (8192, 4), (8192, 500)];

/// For each of the sizes every tokenizer and its name.
pub static TOKENIZERS: LazyLock<Vec<Vec<(&str, Tokenizer)>>> = LazyLock::new(|| {
    let build = |(max_tokens, chunk_bytes)| {
        let tokenizers = descriptions().into_iter();
        tokenizers
            .map(|(name, description)| (name, tokenizer(&description, max_tokens, chunk_bytes)))
            .collect()
    };
    SIZES.into_iter().map(build).collect()
});

fn tokenizer(description: &Value, max_tokens: usize, chunk_bytes: usize) -> Tokenizer {
    let max_tokens = NonZeroUsize::new(max_tokens).unwrap();
    let json = description.to_string();
    let tokenizer = Tokenizer::with_chunks(json.as_bytes(), max_tokens, chunk_bytes).unwrap();
    assert!(tokenizer.division.is_some());
    tokenizer
}

/// Fails unless both ways give the same ids.
pub fn assert_same(name: &str, tokenizer: &Tokenizer, text: &str) {
    let whole = tokenizer.inner.encode_fast(text, true).unwrap();
    let divided = tokenizer.tokenize(text).unwrap();
    assert!(
        divided.ids() == whole.get_ids(),
        "{name}, chunks of {}: {text:?}\n{:?}\n{:?}",
        tokenizer.chunk_bytes,
        divided.ids(),
        whole.get_ids()
    );
}

/// A text, after two bytes that choose a size and a tokenizer.
pub fn divided_text(bytes: &[u8]) {
    let [size, tokenizer, text @ ..] = bytes else {
        return;
    };
    let tokenizers = &TOKENIZERS[usize::from(*size) % SIZES.len()];
    let (name, tokenizer) = &tokenizers[usize::from(*tokenizer) % tokenizers.len()];
    assert_same(name, tokenizer, &String::from_utf8_lossy(text));
}
