//! The graphs that the fuzz target has kept.

use std::cell::Cell;

use model::load_runtime;

use crate::support::corpus;
use crate::support::fuzzed_graph::FuzzedGraph;
use crate::support::models::runtime_library;

/// The graphs as they were exported, in both precisions: of both families, and with heads.
const UNCHANGED: usize = 6;

#[test]
fn a_fuzzed_graph_gives_an_error_or_vectors_that_do_not_depend_on_their_batch() {
    let fuzzed = FuzzedGraph::new(load_runtime(&runtime_library()).unwrap());
    let with_vectors = Cell::new(0);
    corpus::run(env!("CARGO_MANIFEST_DIR"), "graph", |graph| {
        let gives_vectors = fuzzed.run(graph);
        with_vectors.update(|count| count + usize::from(gives_vectors));
    });
    assert!(with_vectors.get() >= UNCHANGED, "{with_vectors:?}");
}
