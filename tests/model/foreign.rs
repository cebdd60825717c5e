//! Model directories that another exporter wrote.

use std::num::NonZeroUsize;

use model::{Encoder, ModelDirectory, load_runtime};

use crate::support::golden::{cosine, golden, length, texts};
use crate::support::models::{FOREIGN_GRAPH, Model, foreign_bert, runtime_library};

#[test]
fn a_graph_that_ends_at_the_token_vectors_is_pooled_to_the_same_vectors() {
    let mut model = Model::load(foreign_bert());
    let texts: Vec<&str> = texts().iter().map(|text| text.text.as_str()).collect();
    let vectors = model.encode(&texts);
    for ((vector, expected), text) in vectors
        .iter()
        .zip(&golden("tiny-bert").embeddings)
        .zip(texts)
    {
        let cosine = cosine(vector, expected);
        assert!(cosine >= 0.999_999, "{cosine} for {text:.40}");
        assert!((length(vector) - 1.0).abs() < 1e-5);
    }
}

#[test]
fn a_missing_file_of_a_model_directory_is_named() {
    for file in [
        FOREIGN_GRAPH,
        "tokenizer.json",
        "modules.json",
        "config.json",
        "1_Pooling/config.json",
    ] {
        let directory = foreign_bert();
        std::fs::remove_file(directory.path().join(file)).unwrap();
        let message = ModelDirectory::open(directory.path())
            .unwrap_err()
            .to_string();
        let name = file.rsplit('/').next().unwrap();
        assert!(message.contains(name), "{file}: {message}");
    }
}

#[test]
fn a_file_that_is_no_graph_is_refused_by_its_path() {
    let directory = foreign_bert();
    std::fs::write(directory.path().join(FOREIGN_GRAPH), "not a graph").unwrap();
    let environment = load_runtime(&runtime_library()).unwrap();
    let model = ModelDirectory::open(directory.path()).unwrap();
    let error = Encoder::load(&environment, &model, NonZeroUsize::MIN)
        .err()
        .unwrap();
    assert!(error.to_string().contains(FOREIGN_GRAPH), "{error}");
}
