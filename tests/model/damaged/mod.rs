//! A model directory that is damaged or was changed gives an error that names what is wrong: it never panics, never ends
//! the process by a signal, and never gives vectors.

mod damages;

use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use bench::synthetic::{Size, write_checkpoint};
use model::{Encoder, GRAPH_FILE, ModelDirectory, Precision, Tokenizer, load_runtime};
use tempfile::TempDir;

use crate::support::graph::edit;
use crate::support::models::{checkpoint, copy_into, exported, runtime_library};
use crate::support::program::program;
use damages::{DAMAGES, Original};

const WEIGHTS_FILE: &str = "model.onnx.data";
const FILES: [&str; 4] = ["model.json", GRAPH_FILE, WEIGHTS_FILE, "tokenizer.json"];

/// A text as long as the one at which an operator once read beyond its inputs.
fn long_text() -> String {
    "river ".repeat(200)
}

/// The small models, each with another part of what a graph may have.
struct Originals {
    fp16: TempDir,
    fp32: TempDir,
    int8: TempDir,
    /// Random weights, of which many are in the file of weights.
    external: TempDir,
}

impl Originals {
    fn export() -> Self {
        let synthetic = tempfile::tempdir().unwrap();
        let size = Size {
            hidden: 128,
            intermediate: 512,
            ..Size::SMALL
        };
        write_checkpoint(synthetic.path(), size).unwrap();
        Self {
            fp16: exported(&checkpoint("tiny-xlm-roberta"), Precision::Fp16),
            fp32: exported(&checkpoint("tiny-xlm-roberta"), Precision::Fp32),
            int8: exported(&checkpoint("tiny-bert"), Precision::Int8),
            external: exported(synthetic.path(), Precision::Int8),
        }
    }

    fn of(&self, original: Original) -> &TempDir {
        match original {
            Original::Fp16 => &self.fp16,
            Original::Fp32 => &self.fp32,
            Original::Int8 => &self.int8,
            Original::External => &self.external,
        }
    }
}

fn copy(original: &TempDir) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    copy_into(directory.path(), original.path(), &FILES);
    directory
}

/// Loads a directory as the server does and embeds a short and a long text.
fn vectors(directory: &Path) -> Result<Vec<Vec<f32>>, Box<dyn Error>> {
    let model = ModelDirectory::open(directory)?;
    let tokenizer = Tokenizer::load(&model.tokenizer, model.description.max_tokens)?;
    let environment = load_runtime(&runtime_library())?;
    let mut encoder = Encoder::load(&environment, &model, NonZeroUsize::MIN)?;
    let (short, long) = (
        tokenizer.tokenize("a river")?,
        tokenizer.tokenize(&long_text())?,
    );
    Ok(encoder.encode(&[&short, &long])?)
}

/// The whole message of the refusal, causes included.
fn refusal(directory: &Path) -> Option<String> {
    let error = vectors(directory).err()?;
    let causes = std::iter::successors(Some(error.as_ref()), |error| (*error).source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    Some(causes.join(": "))
}

/// What the real program says, which must end by itself and fail.
fn refusal_of_the_program(directory: &Path) -> String {
    let output = program()
        .args(["embed", "--offline", "--model-directory"])
        .arg(directory)
        .arg(long_text())
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        output.status.code(),
        Some(1),
        "{:?}: {message}",
        output.status
    );
    assert!(output.stdout.is_empty(), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn a_model_as_it_was_exported_gives_its_vectors() {
    let originals = Originals::export();
    let all = [
        Original::Fp16,
        Original::Fp32,
        Original::Int8,
        Original::External,
    ];
    for original in all {
        let directory = copy(originals.of(original));
        edit(directory.path(), |_| {});
        assert_eq!(vectors(directory.path()).unwrap().len(), 2);
    }
}

#[test]
fn whatever_is_changed_in_a_model_directory_is_an_error_that_names_it() {
    let originals = Originals::export();
    let mut wrong = Vec::new();
    for (index, damage) in DAMAGES.iter().enumerate() {
        let directory = copy(originals.of(damage.original));
        (damage.damage)(directory.path());
        match refusal(directory.path()) {
            Some(message) if message.contains(damage.named) => {}
            found => wrong.push(format!(
                "{index}: {found:?} does not say {:?}",
                damage.named
            )),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_program_ends_with_an_error_and_no_signal_on_a_damaged_directory() {
    let originals = Originals::export();
    // Every third, among which is something of each kind.
    for damage in DAMAGES.iter().step_by(3) {
        let directory = copy(originals.of(damage.original));
        (damage.damage)(directory.path());
        let message = refusal_of_the_program(directory.path());
        assert!(
            message.contains(damage.named),
            "{message} does not say {:?}",
            damage.named
        );
    }
}

/// Bytes of a file that are not the data of a tensor: what is changed there is the graph itself.
fn structure(directory: &Path) -> Vec<usize> {
    let bytes = fs::read(directory.join(GRAPH_FILE)).unwrap();
    let mut is_data = vec![false; bytes.len()];
    edit(directory, |graph| {
        let data = graph
            .initializer
            .iter()
            .filter_map(|tensor| tensor.raw_data.as_deref());
        for data in data.filter(|data| data.len() > 64) {
            let start = bytes
                .windows(data.len())
                .position(|window| window == data)
                .unwrap();
            is_data[start..start + data.len()].fill(true);
        }
    });
    (0..bytes.len()).filter(|&index| !is_data[index]).collect()
}

#[test]
fn random_bytes_in_a_graph_give_an_error_or_finite_vectors() {
    let originals = Originals::export();
    let mut random = fastrand::Rng::with_seed(10);
    for original in [Original::Fp32, Original::Int8, Original::External] {
        let directory = copy(originals.of(original));
        let structure = structure(directory.path());
        let path = directory.path().join(GRAPH_FILE);
        let whole = fs::read(&path).unwrap();
        for round in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..random.usize(1..4) {
                let index = structure[random.usize(..structure.len())];
                bytes[index] = random.u8(..);
            }
            fs::write(&path, &bytes).unwrap();
            if let Ok(vectors) = vectors(directory.path()) {
                assert!(vectors.iter().flatten().all(|value| value.is_finite()));
            }
            if round % 25 == 0 {
                let output = program()
                    .args(["embed", "--offline", "--model-directory"])
                    .arg(directory.path())
                    .arg(long_text())
                    .output()
                    .unwrap();
                assert!(output.status.code().is_some(), "{:?}", output.status);
            }
        }
    }
}
