//! Every architecture gives the same bits: the digests here are those of all of them.
//!
//! A row in int8 would hide most differences of its floats, and two vectors are never compared across processors
//! otherwise. A digest changes with the arithmetic of its kernel, on all architectures alike.

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
        if state >> 27 == 7 { value * 70.0 } else { value }
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
    let length = 389;
    let changed = |change: fn(&mut [f32])| {
        let mut row = floats(length, 1);
        change(&mut row);
        digest_of(&row)
    };
    assert_eq!(changed(row_operations::gelu), 0);
    assert_eq!(changed(row_operations::l2_normalize), 0);
    assert_eq!(changed(|row| row_operations::softmax(row, 389, 380)), 0);
    assert_eq!(
        changed(|row| {
            let normalization = Normalization {
                scale: &floats(389, 2),
                shift: &floats(389, 3),
                epsilon: 1e-5,
            };
            row_operations::add_layer_normalization(&floats(389, 4), normalization, row);
        }),
        0
    );
}

#[test]
fn quantized_rows_and_their_floats_have_the_same_bits_on_every_architecture() {
    let mut bytes = vec![0; 388];
    let quantization = row_operations::quantize(&mut floats(388, 1), &mut bytes);
    let stored = quantization.stored();
    assert_eq!(digest(bytes.iter().map(|&byte| u32::from(byte))), 0);
    assert_eq!(digest_of(&stored), 0);

    let panel: Vec<i8> = floats(388 * PANEL, 2).into_iter().map(|value| value as i8).collect();
    let scale: [f32; PANEL] = floats(PANEL, 3).try_into().unwrap();
    let columns = ColumnParameters {
        scale: &scale,
        sum: &std::array::from_fn(|column| 31 * column as i32 - 500),
        bias: &scale,
    };
    let sums = [std::array::from_fn(|column| 77_777 * column as i32 - 1_000_000)];
    let mut products = [[0.0; PANEL]];
    row_operations::dequantize_sums(&sums, &[stored], (&panel, columns), &mut products);
    assert_eq!(digest_of(products.as_flattened()), 0);
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
    assert_eq!(digest_of(&context), 0);
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
        assert_eq!(digest_of(products.as_flattened()), 0, "{instructions:?}");
    }
}
