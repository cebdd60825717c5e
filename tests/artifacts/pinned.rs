//! The pinned files can really be downloaded.

use std::fs;

use runpod_query::artifacts::Sha256;

use crate::support::models::store;

#[test]
fn the_pinned_runtime_and_the_small_model_can_be_downloaded() {
    let store = store();
    let library = store.runtime_library().unwrap();
    assert!(fs::metadata(library).unwrap().len() > 1_000_000);

    let directory = store.checkpoint("minilm").unwrap();
    for (path, pin) in &store.pins().model("minilm").unwrap().files {
        assert_eq!(
            Sha256::of_file(&directory.join(path)).unwrap(),
            pin.sha256,
            "{path}"
        );
    }
}
