//! Model directories with damaged files: an error, never a panic or a signal.

use std::num::NonZeroUsize;
use std::path::Path;

use model::export::{self, Options};
use model::{Encoder, Error, ModelDirectory, Precision, Tokenizer, load_runtime};

use crate::support::golden::path;
use crate::support::models::runtime_library;
use crate::support::program::program;

const GRAPH: &str = "model.onnx";
/// Random edits of each model's graph.
const EDITS: usize = 150;

fn exported(fixture: &str, precision: Precision) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        name: fixture.to_owned(),
        revision: None,
        precision,
    };
    let source = path(&format!("fixtures/{fixture}"));
    export::export(&source, directory.path(), &options).unwrap();
    directory
}

/// Loads a model directory and encodes a short and a long text.
fn encode(directory: &Path) -> Result<Vec<Vec<f32>>, Error> {
    let model = ModelDirectory::open(directory)?;
    let tokenizer = Tokenizer::load(&model.tokenizer, model.description.max_tokens)?;
    let environment = load_runtime(&runtime_library())?;
    let mut encoder = Encoder::load(&environment, &model, NonZeroUsize::MIN)?;
    let tokens = ["a", &"many words ".repeat(50)]
        .iter()
        .map(|text| tokenizer.tokenize(text))
        .collect::<Result<Vec<_>, _>>()?;
    encoder.encode(&tokens.iter().collect::<Vec<_>>())
}

#[test]
fn random_edits_of_a_graph_give_an_error_or_finite_vectors() {
    for (fixture, precision) in [
        ("tiny-bert", Precision::Fp32),
        ("tiny-bert", Precision::Int8),
        ("tiny-xlm-roberta", Precision::Int8),
    ] {
        let directory = exported(fixture, precision);
        let graph = directory.path().join(GRAPH);
        let bytes = std::fs::read(&graph).unwrap();
        let mut random = fastrand::Rng::with_seed(7);
        let mut refused = 0;
        for _ in 0..EDITS {
            let mut damaged = bytes.clone();
            // Most of the file is weights; its beginning and its end describe the graph.
            for _ in 0..random.usize(1..4) {
                let place = match random.u8(0..3) {
                    0 => random.usize(..damaged.len()),
                    1 => random.usize(..damaged.len().min(4096)),
                    _ => damaged.len() - 1 - random.usize(..2048),
                };
                damaged[place] = random.u8(..);
            }
            std::fs::write(&graph, damaged).unwrap();
            match encode(directory.path()) {
                Ok(vectors) => assert!(vectors.iter().flatten().all(|value| value.is_finite())),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > EDITS / 4, "{fixture}: {refused}");
    }
}

#[test]
fn the_program_names_a_damaged_file_and_ends_with_an_error() {
    let directory = exported("tiny-xlm-roberta", Precision::Fp32);
    let file = |name: &str| directory.path().join(name);
    for (name, bytes, words) in [
        (GRAPH, Vec::new(), "the session cannot be created"),
        (
            GRAPH,
            vec![0xff; 4096],
            "model.onnx is not a graph that can be run",
        ),
        (
            GRAPH,
            b"{}".to_vec(),
            "model.onnx is not a graph that can be run",
        ),
        ("model.onnx.data", Vec::new(), "it is truncated or damaged"),
        ("tokenizer.json", b"{}".to_vec(), "tokenizer"),
        ("model.json", b"{}".to_vec(), "model.json"),
    ] {
        let before = std::fs::read(file(name)).unwrap();
        std::fs::write(file(name), &bytes).unwrap();
        let output = program()
            .args(["embed", "--model-directory"])
            .arg(directory.path())
            .arg("a text")
            .output()
            .unwrap();
        std::fs::write(file(name), before).unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {log}");
        assert!(log.contains(words), "{name}: {log}");
    }
}
