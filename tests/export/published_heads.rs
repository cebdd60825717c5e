//! The comparison of heads with published values: the right heads pass it, and a wrong one does not.

use std::fs;
use std::path::Path;

use model::Precision;
use model::export;
use model::export::reference::Reference;
use serde_json::{Value, json};

use super::heads::{COLBERT, MODEL, SPARSE, copy, parts, write_sparse};
use crate::support::golden::path;
use crate::support::models::{checkpoint, exported, runtime_library};

/// The golden values of the tiny model in the form in which those of bge-m3 are kept.
fn reference() -> Reference {
    let golden: Value =
        serde_json::from_slice(&fs::read(path("golden/heads.json")).unwrap()).unwrap();
    let records = golden["records"].as_array().unwrap();
    let tolerance = json!({"fp32": 1e-4, "int8": 1e-4});
    let next = records.iter().cycle().skip(1);
    let sparse = |record: &Value| json!({"source": "FlagEmbedding", "text": record["text"], "weights": record["sparse"], "tolerance": tolerance});
    let score = |name: &str| -> Vec<Value> {
        let pairs = records.iter().zip(next.clone());
        let score = |(record, next): (&Value, &Value)| json!({"source": "FlagEmbedding", "texts": [record["text"], next["text"]], "value": record[name], "tolerance": tolerance});
        pairs.map(score).collect()
    };
    let json = json!({
        "name": MODEL,
        "source_sha256": "",
        "token_ids": [],
        "token_sets": [],
        "similarities": [],
        "sums": [],
        "vectors": [],
        "heads": {
            "sparse": records.iter().map(sparse).collect::<Vec<_>>(),
            "lexical_scores": score("lexical_score"),
            "colbert_scores": score("colbert_score"),
        },
    });
    Reference::parse(&json.to_string()).unwrap()
}

/// Whether the published values are reproduced: all, and of the sparse and the ColBERT head.
fn reproduced(checkpoint: &Path) -> [bool; 2] {
    let directory = exported(checkpoint, Precision::Fp32);
    let environment = model::load_runtime(&runtime_library()).unwrap();
    let compared = export::compare(directory.path(), &reference(), &environment).unwrap();
    assert!(compared.len() > 180, "{}", compared.len());
    ["sparse", "colbert score"].map(|what| {
        let mut values = compared
            .iter()
            .filter(|comparison| comparison.what.starts_with(what));
        values.all(|comparison| comparison.is_equal)
    })
}

#[test]
fn the_published_values_of_the_right_heads_are_reproduced() {
    assert_eq!(reproduced(&checkpoint(MODEL)), [true, true]);
}

#[test]
fn a_wrong_head_does_not_reproduce_the_published_values() {
    let directory = copy(&[COLBERT]);
    let mut parts = parts(SPARSE);
    let (_, weights) = parts
        .iter_mut()
        .find(|(name, _)| name.ends_with("data/0"))
        .unwrap();
    // Two weights change places.
    let (left, right) = weights.split_at_mut(2);
    left.swap_with_slice(&mut right[..2]);
    write_sparse(directory.path(), &parts);
    assert_eq!(reproduced(directory.path()), [false, true]);
}
