//! A fake model controlled by its texts, so that a test needs no files and controls the timing.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::{
    BatchLayout, ColbertEmbedding, Embedding, Encoded, Output, Outputs, SparseEmbedding, Text,
    Tokenizer, Tokens,
};
use runpod_query::engine::Encode;
use serde_json::json;

/// Floats of a vector.
pub const DIMENSIONS: usize = 4;
/// Tokens of the longest text.
pub const MAX_TOKENS: usize = 4096;

/// A batch that holds this word fails.
pub const FAIL: &str = "fail";
/// A batch that holds this word panics.
pub const PANIC: &str = "panic";
/// A text that holds this word has no vector.
pub const NO_VECTOR: &str = "no-vector";
/// A batch that holds this word waits for [`Script::release`].
pub const WAIT: &str = "wait";

const SPECIAL: [&str; 5] = ["unknown", FAIL, PANIC, NO_VECTOR, WAIT];

/// A tokenizer of whole words, `w0` to `w1999` and the special ones; every other word is the same token.
pub fn tokenizer() -> Arc<Tokenizer> {
    let numbered = (0..2000).map(|number| format!("w{number}"));
    let vocabulary: serde_json::Map<String, serde_json::Value> = SPECIAL
        .iter()
        .map(|word| (*word).to_owned())
        .chain(numbered)
        .enumerate()
        .map(|(id, word)| (word, json!(id)))
        .collect();
    let description = json!({
        "version": "1.0",
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "unknown"},
    });
    let max_tokens = NonZeroUsize::new(MAX_TOKENS).unwrap();
    Arc::new(Tokenizer::from_bytes(description.to_string().as_bytes(), max_tokens).unwrap())
}

/// The vector of a text that begins with the word `w<first>` and has `words` words.
pub fn vector(first: usize, words: usize) -> Embedding {
    embedding(first + SPECIAL.len(), words)
}

fn embedding(first_id: usize, tokens: usize) -> Embedding {
    vec![first_id as f32, tokens as f32, 0.1, -0.062_5]
}

fn encoded(tokens: &Tokens, outputs: Outputs) -> Encoded {
    let vector = embedding(tokens.ids()[0] as usize, tokens.len());
    let rows = tokens.len() - 1;
    Encoded {
        sparse: outputs
            .has(Output::Sparse)
            .then(|| SparseEmbedding::of_tokens(tokens.ids(), &vec![0.5; tokens.len()], &[])),
        colbert: outputs
            .has(Output::Colbert)
            .then(|| ColbertEmbedding::from_elem((rows, DIMENSIONS), 0.5)),
        dense: outputs.has(Output::Dense).then_some(vector),
    }
}

/// The test's handle of a [`Fake`].
pub struct Script {
    batches: Arc<Mutex<Vec<Vec<usize>>>>,
    gate: Sender<()>,
}

/// The encoder, which follows its texts.
pub struct Fake {
    layout: BatchLayout,
    batches: Arc<Mutex<Vec<Vec<usize>>>>,
    gate: Receiver<()>,
}

/// A new encoder and its script.
pub fn fake() -> (Fake, Script) {
    fake_with(BatchLayout::Concatenated)
}

/// A new encoder that computes batches in `layout`, and its script.
pub fn fake_with(layout: BatchLayout) -> (Fake, Script) {
    let (sender, receiver) = channel();
    let batches = Arc::<Mutex<Vec<Vec<usize>>>>::default();
    let encoder = Fake {
        layout,
        batches: Arc::clone(&batches),
        gate: receiver,
    };
    (
        encoder,
        Script {
            batches,
            gate: sender,
        },
    )
}

impl Script {
    /// Lets one waiting batch continue.
    pub fn release(&self) {
        self.gate.send(()).unwrap();
    }

    /// Lengths of the texts of every batch so far, the running one included.
    pub fn batches(&self) -> Vec<Vec<usize>> {
        self.batches.lock().unwrap().clone()
    }

    /// Waits until the encoder has received `count` batches.
    pub fn wait_for_batches(&self, count: usize) {
        wait_until(&format!("{count} batches"), || {
            self.batches().len() >= count
        });
    }
}

impl Encode for Fake {
    fn encode(
        &mut self,
        batch: &[Text<'_>],
    ) -> Result<Vec<Result<Encoded, model::Error>>, model::Error> {
        let lengths = batch.iter().map(|text| text.tokens.len()).collect();
        self.batches.lock().unwrap().push(lengths);
        let text_holds = |tokens: &Tokens, word: &str| {
            let id = SPECIAL.iter().position(|special| *special == word).unwrap();
            tokens.ids().contains(&(id as u32))
        };
        let holds = |word: &str| batch.iter().any(|text| text_holds(text.tokens, word));
        let failure = || model::Error::Output {
            what: "up, as the text says".to_owned(),
        };
        if holds(WAIT) {
            // The test may have ended already.
            let _ = self.gate.recv();
        }
        assert!(!holds(PANIC), "as the text says");
        if holds(FAIL) {
            return Err(failure());
        }
        let row = |Text { tokens, outputs }: &Text<'_>| match text_holds(tokens, NO_VECTOR) {
            true => Err(failure()),
            false => Ok(encoded(tokens, *outputs)),
        };
        Ok(batch.iter().map(row).collect())
    }

    fn layout(&self) -> BatchLayout {
        self.layout
    }
}

/// Longest wait for a condition, long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Polls `condition`, and fails the test if it stays false.
#[track_caller]
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < TIMEOUT, "timed out waiting for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
