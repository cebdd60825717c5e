//! Every architecture gives the same bits: the digests here are those of all of them.
//!
//! No other test compares the results of two processors. A digest says nothing about what is right; it changes when the
//! arithmetic of its kernel is changed, and then on all architectures alike.

use kernels::attention::{Head, attend};
use kernels::gemm::panel_matrix::PanelMatrix;
use kernels::gemm::{PANEL, ROWS, fp32, panel_count};
use kernels::row_operations;
use kernels::rows::{ColumnParameters, Normalization, Strided};

/// Numbers without a pattern between -4 and 4, of which some are far larger.
fn floats(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let value = (state >> 8) as f32 / 2_097_152.0 - 4.0;
        if state >> 27 == 7 {
            value * 70.0
        } else {
            value
        }
    };
    (0..count).map(next).collect()
}

/// A number for all bits, by FNV-1a.
fn digest(bits: impl IntoIterator<Item = u32>) -> u64 {
    bits.into_iter()
        .flat_map(u32::to_le_bytes)
        .fold(0xcbf2_9ce4_8422_2325, |digest: u64, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

fn digest_of(floats: &[f32]) -> u64 {
    digest(floats.iter().map(|float| float.to_bits()))
}

#[test]
fn operations_on_a_row_have_the_same_bits_on_every_architecture() {
    // Whole vectors, and some floats more.
    const LENGTH: usize = 389;
    let changed = |change: fn(&mut [f32])| {
        let mut row = floats(LENGTH, 1);
        change(&mut row);
        digest_of(&row)
    };
    let digests = [
        changed(row_operations::gelu),
        changed(row_operations::l2_normalize),
        changed(|row| row_operations::softmax(row, LENGTH, LENGTH - 9)),
        changed(|row| {
            let normalization = Normalization {
                scale: &floats(LENGTH, 2),
                shift: &floats(LENGTH, 3),
                epsilon: 1e-5,
            };
            row_operations::add_layer_normalization(&floats(LENGTH, 4), normalization, row);
        }),
    ];
    assert_eq!(
        digests,
        [
            0x1a83_5ebf_f199_d783,
            0xaa0e_52f4_a977_acdc,
            0x0d87_0f8a_de3a_30ea,
            0x5a30_b236_411a_bf73,
        ]
    );
}

#[test]
fn quantized_rows_and_their_products_have_the_same_bits_on_every_architecture() {
    const LENGTH: usize = 388;
    let mut bytes = vec![0; LENGTH];
    let quantization = row_operations::quantize(&mut floats(LENGTH, 1), &mut bytes);
    let stored = quantization.stored();

    let panel = floats(LENGTH * PANEL, 2).into_iter();
    let panel: Vec<i8> = panel.map(|value| value as i8).collect();
    let scale: [f32; PANEL] = floats(PANEL, 3).try_into().unwrap();
    let columns = ColumnParameters {
        scale: &scale,
        sum: &std::array::from_fn(|column| 31 * column as i32 - 500),
        bias: &scale,
    };
    let sums = [std::array::from_fn(|column| {
        77_777 * column as i32 - 1_000_000
    })];
    let mut products = [[0.0; PANEL]];
    row_operations::dequantize_sums(&sums, &[stored], (&panel, columns), &mut products);

    let digests = [
        digest(bytes.iter().map(|&byte| u32::from(byte))),
        digest_of(&stored),
        digest_of(products.as_flattened()),
    ];
    assert_eq!(
        digests,
        [
            0xe614_8d86_bec1_77c6,
            0xcdfc_ce27_00aa_784a,
            0x2e7a_12a9_c330_8fda,
        ]
    );
}

#[test]
fn attention_has_the_same_bits_on_every_architecture() {
    let (hidden, tokens, size) = (32, 37, 16);
    let projected = floats(panel_count(3 * hidden) * tokens * PANEL, 1);
    let matrix = PanelMatrix::new(&projected, 3 * hidden).unwrap();
    let mut context = vec![0.0; tokens * size];
    let head = Head {
        start: 0,
        tokens,
        column: size,
        context: context.chunks_exact_mut(size).collect(),
    };
    attend(&matrix, head);
    assert_eq!(digest_of(&context), 0xa77a_de6e_97e5_bc58);
}

#[test]
fn products_in_fp32_have_the_same_bits_on_every_architecture_with_a_fused_multiply_add() {
    let inputs = 389;
    let (rows, panel) = (floats(ROWS * inputs, 1), floats(PANEL * inputs, 2));
    let rows = Strided {
        floats: &rows,
        stride: inputs,
    };
    let bias = floats(PANEL, 3).try_into().unwrap();
    let instructions = fp32::InstructionSet::available().into_iter();
    for instructions in instructions.filter(|instructions| instructions.is_fused()) {
        let mut products = [[0.0; PANEL]; ROWS];
        instructions.multiply(rows, &panel, &bias, &mut products);
        assert_eq!(
            digest_of(products.as_flattened()),
            0x4daa_d2e4_e631_159b,
            "{instructions:?}"
        );
    }
}
