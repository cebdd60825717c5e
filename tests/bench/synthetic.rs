//! The checkpoint with random weights is a checkpoint like any other.

use runpod_query::bench::synthetic::{Size, write_checkpoint};

use crate::support::models::Model;

#[test]
fn a_synthetic_checkpoint_exports_and_gives_unit_vectors() {
    let checkpoint = tempfile::tempdir().unwrap();
    write_checkpoint(checkpoint.path(), Size::SMALL).unwrap();
    let mut model = Model::export(checkpoint.path(), "synthetic");
    assert_eq!(
        model.encoder.description().max_tokens.get(),
        Size::SMALL.max_tokens()
    );
    let texts = ["What is machine learning?", "a"];
    for (text, vector) in texts.iter().zip(model.encode(&texts)) {
        let length: f32 = vector.iter().map(|component| component * component).sum();
        assert_eq!(vector.len(), Size::SMALL.hidden, "{text}");
        assert!((length - 1.0).abs() < 1e-5, "{text}: {length}");
    }
}
