//! Every architecture gives the same vectors, bit for bit: the digests here are those of all of them.
//!
//! No other test compares the vectors of two processors. A digest changes when the arithmetic is changed, and then on all
//! architectures alike.

use kernels::gemm::fp32::InstructionSet;
use model::Precision;

use crate::support::models::{Model, checkpoint};

/// A number for all bits, by FNV-1a.
fn digest(vectors: &[Vec<f32>]) -> u64 {
    let values = vectors.iter().flatten();
    values
        .flat_map(|value| value.to_bits().to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |digest: u64, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[test]
fn vectors_have_the_same_bits_on_every_architecture() {
    assert!(
        InstructionSet::detect().is_fused(),
        "without a fused multiply-add every product is rounded twice, and the digests are others"
    );
    let digests = ["tiny-xlm-roberta", "tiny-bert"].map(|name| {
        Precision::ALL.map(|precision| {
            let mut model = Model::export_in(&checkpoint(name), name, precision);
            (precision, digest(&model.encode_golden()))
        })
    });
    assert_eq!(
        digests,
        [
            [
                (Precision::Fp16, 0x2cd1_4621_787b_d117),
                (Precision::Fp32, 0xeef0_96d1_cd21_33dd),
                (Precision::Int8, 0x9e90_f667_ffb3_bbc9),
            ],
            [
                (Precision::Fp16, 0xa224_7a09_cb15_0029),
                (Precision::Fp32, 0xffc9_2daf_2f78_06e3),
                (Precision::Int8, 0x234e_ecc3_0943_6796),
            ],
        ]
    );
}
