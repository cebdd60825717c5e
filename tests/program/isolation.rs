//! One text never harms another: the real program with graphs of another exporter that fail for some texts.

use std::path::Path;

use safetensors::SafeTensors;
use serde_json::{Value, json};

use crate::support::golden::{largest_difference, path};
use crate::support::models::{FOREIGN_GRAPH, foreign_bert};
use crate::support::program::Served;

const WORD_EMBEDDINGS: &str = "embeddings.word_embeddings.weight";
const INNOCENTS: usize = 30;
const ROUNDS: usize = 3;

fn edit_json(directory: &Path, file: &str, edit: impl FnOnce(&mut Value)) {
    let path = directory.join(file);
    let mut value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    edit(&mut value);
    std::fs::write(path, value.to_string()).unwrap();
}

/// Makes the embedding of a token NaN in the graph, which holds the checkpoint's table as it is.
fn spoil(directory: &Path, token: &str) {
    let tokenizer = std::fs::read(directory.join("tokenizer.json")).unwrap();
    let tokenizer: Value = serde_json::from_slice(&tokenizer).unwrap();
    let id = tokenizer["model"]["vocab"][token].as_u64().unwrap() as usize;
    let checkpoint = std::fs::read(path("fixtures/tiny-bert/model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&checkpoint).unwrap();
    let table = tensors.tensor(WORD_EMBEDDINGS).unwrap();
    let row = table.data().len() / table.shape()[0];
    let mut graph = std::fs::read(directory.join(FOREIGN_GRAPH)).unwrap();
    let start = graph
        .windows(table.data().len())
        .position(|bytes| bytes == table.data())
        .unwrap();
    graph[start + id * row..][..row].copy_from_slice(&f32::NAN.to_le_bytes().repeat(row / 4));
    std::fs::write(directory.join(FOREIGN_GRAPH), graph).unwrap();
}

/// Texts of different lengths.
fn innocents() -> Vec<String> {
    let words = ["about", "after", "because", "before", "between", "bridge"];
    (0..INNOCENTS)
        .map(|number| {
            let more = " and".repeat(number / words.len());
            format!("{}{more}", words[number % words.len()])
        })
        .collect()
}

/// Serves a model directory and asks for innocent texts beside a harmful one, all at the same time.
fn check(directory: &Path, harmful: &str) {
    // Every round is to run its texts again.
    let without_cache = ("RUNPOD_QUERY__ENGINE__CACHE_BYTES", "0".to_owned());
    let arguments = ["--model-directory", directory.to_str().unwrap()];
    let mut served = Served::start_in(&arguments, &[without_cache]);
    served.wait_for_status(200);
    let innocents = innocents();
    let alone: Vec<Vec<f32>> = innocents.iter().map(|text| served.embed(text)).collect();
    for _ in 0..ROUNDS {
        std::thread::scope(|scope| {
            let harmed = scope.spawn(|| {
                let body = json!({"input": {"query": harmful}});
                served.post("/runsync", &body).unwrap()
            });
            let beside: Vec<_> = innocents
                .iter()
                .map(|text| scope.spawn(|| served.embed(text)))
                .collect();
            for (beside, alone) in beside.into_iter().zip(&alone) {
                // The graph's own operators round differently in other shapes.
                assert!(largest_difference(&beside.join().unwrap(), alone) < 1e-5);
            }
            let (status, body) = harmed.join().unwrap();
            assert_eq!((status, &body["code"]), (500, &json!("internal")), "{body}");
        });
    }
    served.stop();
    let log = served.log();
    assert_eq!(log.matches("defect cause=").count(), ROUNDS, "{log}");
    assert!(!log.contains(harmful), "{log}");
}

#[test]
fn a_token_whose_embedding_is_not_a_number_harms_only_its_own_text() {
    // Shorter texts of a batch are padded, and a pad may have any embedding.
    for (token, harmful) in [("farmer", "a farmer"), ("[UNK]", "\u{1f9ff}")] {
        let directory = foreign_bert();
        spoil(directory.path(), token);
        check(directory.path(), harmful);
    }
}

#[test]
fn a_text_beyond_the_positions_of_a_graph_harms_no_other_text() {
    let directory = foreign_bert();
    edit_json(directory.path(), "sentence_bert_config.json", |config| {
        config["max_seq_length"] = json!(64);
    });
    edit_json(directory.path(), "config.json", |config| {
        config["max_position_embeddings"] = json!(64);
    });
    check(directory.path(), &"and ".repeat(60));
}
