//! The checkpoint with random weights is a checkpoint like any other.

use bench::synthetic::{NAME, Size, write_checkpoint};
use model::GRAPH_FILE;
use model::Precision;
use model::export::{Options, export, weight_bytes_per_pass};

use crate::support::models::Model;

#[test]
fn a_synthetic_checkpoint_exports_in_every_precision_and_gives_unit_vectors() {
    let checkpoint = tempfile::tempdir().unwrap();
    write_checkpoint(checkpoint.path(), Size::SMALL).unwrap();
    let bytes = [Precision::Fp32, Precision::Int8].map(|precision| {
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            name: NAME.to_owned(),
            revision: None,
            precision,
            pooling: None,
        };
        let description = export(checkpoint.path(), directory.path(), &options).unwrap();
        assert_eq!(description.max_tokens.get(), Size::SMALL.max_tokens());
        let bytes = weight_bytes_per_pass(&directory.path().join(GRAPH_FILE)).unwrap();
        let texts = ["What is machine learning?", "a"];
        for vector in Model::load(directory).encode(&texts) {
            let length: f32 = vector.iter().map(|component| component * component).sum();
            assert_eq!(vector.len(), Size::SMALL.hidden, "{precision}");
            assert!((length - 1.0).abs() < 1e-5, "{precision}: {length}");
        }
        bytes
    });
    let matrices = 2 * (4 * 32 * 32 + 2 * 32 * 64);
    for (bytes, of_one) in bytes.into_iter().zip([4, 1]) {
        let rest = bytes - of_one * matrices;
        assert!(rest < 8 * 1024, "{rest} bytes that belong to no matrix");
    }
}
