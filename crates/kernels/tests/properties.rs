//! Every kernel, on every instruction set of this processor, gives what a plain loop gives, for random shapes and values.

use half::f16;
use kernels::attention::{Head, attend};
use kernels::gemm::panel_matrix::PanelMatrix;
use kernels::gemm::{PANEL, ROWS, fp32, int8, panel_count};
use kernels::row_operations;
use kernels::rows::{
    self, ColumnParameters, Normalization, OUTLIERS, QUANTIZATION_FLOATS, RowQuantization,
    StoredQuantization, Strided,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Every run tries the same cases: a failure is seen again, and a test that passed stays so until something changes.
fn same_cases() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

/// Floats as activations are, and a few that are far larger.
fn activation() -> impl Strategy<Value = f32> {
    prop_oneof![20 => -4.0_f32..4.0, 1 => -300.0_f32..300.0, 1 => Just(0.0)]
}

fn activations(
    length: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = Vec<f32>> {
    vec(activation(), length)
}

fn bits(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|float| float.to_bits()).collect()
}

/// A row with its bytes and their quantization.
fn quantized(row: &[f32]) -> (Vec<u8>, RowQuantization) {
    let mut bytes = vec![0; row.len()];
    let quantization = row_operations::quantize(&mut row.to_vec(), &mut bytes);
    (bytes, quantization)
}

/// The row that bytes and outliers stand for.
fn dequantized(bytes: &[u8], quantization: &RowQuantization) -> Vec<f64> {
    let mut steps: Vec<i32> = bytes
        .iter()
        .map(|&byte| i32::from(byte) - quantization.zero_point)
        .collect();
    for outlier in quantization.outliers {
        steps[outlier.index] += outlier.steps;
    }
    let scale = f64::from(quantization.scale);
    steps
        .into_iter()
        .map(|steps| f64::from(steps) * scale)
        .collect()
}

prop_compose! {
    /// Rows of bytes, and a panel of weights.
    fn int8_factors()(groups in 1..70_usize, count in 1..=ROWS)
        (rows in vec(prop_oneof![Just(u8::MIN), Just(u8::MAX), any::<u8>()], count * groups * int8::GROUP),
         panel in vec(prop_oneof![Just(-i8::MAX), Just(i8::MAX), any::<i8>()], PANEL * groups * int8::GROUP),
         inputs in Just(groups * int8::GROUP)) -> (usize, Vec<u8>, Vec<i8>) {
        (inputs, rows, panel)
    }
}

prop_compose! {
    /// Rows of floats at a distance, a panel of weights, and its bias.
    fn fp32_factors()(inputs in 1..130_usize, count in 1..=3 * ROWS, gap in 0..5_usize)
        (rows in activations(count * (inputs + gap)), panel in activations(PANEL * inputs),
         bias in activations(PANEL), shape in Just((inputs, count, gap)))
        -> ((usize, usize, usize), Vec<f32>, Vec<f32>, Vec<f32>) {
        (shape, rows, panel, bias)
    }
}

prop_compose! {
    /// Sizes of an attention, where its sequence starts, and the projections of all tokens.
    fn attention_input()(heads in 1..4_usize, size in 1..40_usize, tokens in 1..90_usize,
                         before in 0..3_usize, after in 0..3_usize, first_only in any::<bool>())
        (projected in vec(-2.0_f32..2.0, (before + tokens + after) * 3 * heads * size),
         shape in Just((heads, size, tokens, before, first_only)))
        -> ((usize, usize, usize, usize, bool), Vec<f32>) {
        (shape, projected)
    }
}

/// A matrix of rows in the form that a GEMM gives it.
fn in_panels(floats: &[f32], width: usize) -> Vec<f32> {
    let rows = floats.len() / width;
    let mut panels = vec![f32::NAN; panel_count(width) * rows * PANEL];
    for (row, floats) in floats.chunks_exact(width).enumerate() {
        for (column, &float) in floats.iter().enumerate() {
            panels[(column / PANEL * rows + row) * PANEL + column % PANEL] = float;
        }
    }
    panels
}

proptest! {
    #![proptest_config(same_cases())]

    #[test]
    fn int8_sums_are_exact((inputs, rows, panel) in int8_factors()) {
        for instructions in int8::InstructionSet::available() {
            let mut sums = [[7; PANEL]; ROWS];
            instructions.multiply(&rows, &panel, &int8::column_sums(&panel), &mut sums);
            for (row, sums) in rows.chunks_exact(inputs).zip(&sums) {
                for (output, &sum) in sums.iter().enumerate() {
                    let products = row.iter().enumerate().map(|(input, &activation)| {
                        let weight = panel[int8::packed_index(output, input, inputs)];
                        i32::from(activation) * i32::from(weight)
                    });
                    prop_assert_eq!(sum, products.sum::<i32>(), "{:?}", instructions);
                }
            }
            let untouched = &sums[rows.len() / inputs..];
            prop_assert!(untouched.iter().flatten().all(|&sum| sum == 7), "{instructions:?}");
        }
    }

    #[test]
    fn fp32_products_have_the_bits_of_a_plain_loop(
        ((inputs, count, gap), rows, panel, bias) in fp32_factors()
    ) {
        let bias: [f32; PANEL] = bias.try_into().unwrap();
        let strided = Strided { floats: &rows, stride: inputs + gap };
        for instructions in fp32::InstructionSet::available() {
            let mut products = vec![[f32::NAN; PANEL]; count];
            instructions.multiply(strided, &panel, &bias, &mut products);
            for (row, product) in rows.chunks(inputs + gap).zip(&products) {
                let expected: [f32; PANEL] = std::array::from_fn(|output| {
                    row[..inputs].iter().enumerate().fold(bias[output], |sum, (input, &activation)| {
                        let weight = panel[fp32::packed_index(output, input, inputs)];
                        if instructions.is_fused() {
                            activation.mul_add(weight, sum)
                        } else {
                            activation * weight + sum
                        }
                    })
                });
                prop_assert_eq!(bits(product), bits(&expected), "{:?}", instructions);
            }
        }
    }

    #[test]
    fn halves_have_the_products_of_the_floats_that_they_mean(
        ((inputs, count, gap), rows, panel, bias) in fp32_factors()
    ) {
        let bias: [f32; PANEL] = bias.try_into().unwrap();
        let strided = Strided { floats: &rows, stride: inputs + gap };
        let halves: Vec<f16> = panel.into_iter().map(f16::from_f32).collect();
        let mut widened = vec![0.0; halves.len()];
        row_operations::widen_row(&halves, &mut widened);
        for instructions in fp32::InstructionSet::available() {
            let mut products = vec![[f32::NAN; PANEL]; count];
            instructions.multiply(strided, &halves, &bias, &mut products);
            let mut expected = products.clone();
            instructions.multiply(strided, &widened, &bias, &mut expected);
            for (product, expected) in products.iter().zip(&expected) {
                prop_assert_eq!(bits(product), bits(expected), "{:?}", instructions);
            }
        }
    }

    #[test]
    fn quantized_rows_are_valid_and_off_by_half_a_step(row in activations(1..500)) {
        let mut same = row.clone();
        let mut bytes = vec![0; row.len()];
        let quantization = row_operations::quantize(&mut same, &mut bytes);
        prop_assert_eq!(bits(&same), bits(&row));
        let stored = quantization.stored();
        prop_assert!(RowQuantization::is_valid(&stored, row.len()));
        prop_assert_eq!(RowQuantization::of(&stored), quantization);
        let half = 0.501 * f64::from(quantization.scale) + 1e-30;
        for (value, found) in row.iter().zip(dequantized(&bytes, &quantization)) {
            prop_assert!((found - f64::from(*value)).abs() <= half, "{value} became {found}");
        }
    }

    #[test]
    fn every_dispatch_gives_the_bits_of_the_portable_code(row in activations(1..300)) {
        let mut bytes = [vec![0; row.len()], vec![0; row.len()]];
        let [dispatched, portable] = &mut bytes;
        prop_assert_eq!(
            row_operations::quantize(&mut row.clone(), dispatched),
            rows::quantize(&mut row.clone(), portable)
        );
        prop_assert_eq!(&bytes[0], &bytes[1]);
        type Operation = fn(&mut [f32]);
        let operations: [[Operation; 2]; 2] = [
            [row_operations::gelu, rows::gelu],
            [row_operations::l2_normalize, rows::l2_normalize],
        ];
        for [dispatched, portable] in operations {
            let mut both = [row.clone(), row.clone()];
            dispatched(&mut both[0]);
            portable(&mut both[1]);
            prop_assert_eq!(bits(&both[0]), bits(&both[1]));
        }
    }

    #[test]
    fn dequantized_sums_are_the_products_of_the_dequantized_rows(
        (inputs, _, panel) in int8_factors(),
        seed in activations(70 * int8::GROUP),
        scale in 0.001_f32..0.1,
        bias in -1.0_f32..1.0,
    ) {
        let (bytes, quantization) = quantized(&seed[..inputs]);
        let mut sums = [[0; PANEL]; ROWS];
        let column_sums = int8::column_sums(&panel);
        int8::InstructionSet::detect().multiply(&bytes, &panel, &column_sums, &mut sums);
        let weight = |output, input| i32::from(panel[int8::packed_index(output, input, inputs)]);
        let columns = ColumnParameters {
            scale: &[scale; PANEL],
            sum: &column_sums,
            bias: &[bias; PANEL],
        };
        let mut floats = [[0.0; PANEL]];
        let stored = [quantization.stored()];
        row_operations::dequantize_sums(&sums, &stored, (&panel, columns), &mut floats);
        let row = dequantized(&bytes, &quantization);
        for (output, &found) in floats[0].iter().enumerate() {
            let products = row.iter().enumerate().map(|(input, value)| value * f64::from(weight(output, input)));
            let sum: f64 = products.clone().sum();
            let size: f64 = products.map(f64::abs).sum();
            let expected = sum * f64::from(scale) + f64::from(bias);
            let tolerance = 1e-6 * (size * f64::from(scale) + 1.0);
            prop_assert!((f64::from(found) - expected).abs() <= tolerance, "{found} {expected}");
        }
    }

    #[test]
    fn a_quantization_that_cannot_describe_a_row_is_not_valid(
        inputs in 1..1000_usize,
        wrong in prop_oneof![
            Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(-1.0), Just(1e9)
        ],
        place in 0..1 + OUTLIERS,
    ) {
        let valid: StoredQuantization = [0.0; QUANTIZATION_FLOATS];
        prop_assert!(RowQuantization::is_valid(&valid, inputs));
        let mut stored = valid;
        // The zero point, or the index of an outlier.
        stored[if place == 0 { 1 } else { 2 * place }] = wrong;
        prop_assert!(!RowQuantization::is_valid(&stored, inputs));
        let mut beyond = valid;
        beyond[2] = inputs as f32;
        prop_assert!(!RowQuantization::is_valid(&beyond, inputs));
    }

    #[test]
    fn softmax_is_that_of_a_plain_loop(
        (scores, blocks, length) in (1..12_usize).prop_flat_map(|blocks| {
            (activations(3 * blocks * rows::LANES), Just(blocks), 1..=blocks * rows::LANES)
        })
    ) {
        let width = blocks * rows::LANES;
        let mut probabilities = scores.clone();
        row_operations::softmax(&mut probabilities, width, length);
        for (scores, found) in scores.chunks_exact(width).zip(probabilities.chunks_exact(width)) {
            let greatest = scores[..length].iter().copied().fold(f32::MIN, f32::max);
            let exponential = |score: f32| f64::from(score - greatest).exp();
            let sum: f64 = scores[..length].iter().map(|&score| exponential(score)).sum();
            for (&score, &found) in scores[..length].iter().zip(found) {
                let expected = exponential(score) / sum;
                prop_assert!((f64::from(found) - expected).abs() <= 2e-6, "{found} {expected}");
            }
            prop_assert!(found[length..].iter().all(|&probability| probability < 1e-37));
        }
    }

    #[test]
    fn layer_normalization_is_that_of_a_plain_loop(
        cells in vec((activation(), activation(), -2.0_f32..2.0, -2.0_f32..2.0), 1..500)
    ) {
        let column = |cell: fn(&(f32, f32, f32, f32)) -> f32| cells.iter().map(cell).collect::<Vec<f32>>();
        let mut row = column(|cell| cell.0);
        let residual = column(|cell| cell.1);
        let normalization = Normalization {
            scale: &column(|cell| cell.2),
            shift: &column(|cell| cell.3),
            epsilon: 1e-5,
        };
        row_operations::add_layer_normalization(&residual, normalization, &mut row);
        let sums: Vec<f64> = cells.iter().map(|cell| f64::from(cell.0 + cell.1)).collect();
        let length = sums.len() as f64;
        let mean = sums.iter().sum::<f64>() / length;
        let variance = sums.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / length;
        for ((sum, cell), found) in sums.iter().zip(&cells).zip(row) {
            let normal = (sum - mean) / (variance + 1e-5).sqrt();
            let expected = normal * f64::from(cell.2) + f64::from(cell.3);
            // A row of nearly equal values loses digits in its differences.
            let tolerance = 1e-4 * (1.0 + expected.abs()) + 1e-6 * mean.abs() / (variance + 1e-5).sqrt();
            prop_assert!((f64::from(found) - expected).abs() <= tolerance, "{found} {expected}");
        }
    }

    #[test]
    fn attention_is_that_of_a_plain_loop(
        ((heads, size, tokens, start, first_only), projected) in attention_input()
    ) {
        let hidden = heads * size;
        let width = 3 * hidden;
        let panels = in_panels(&projected, width);
        let matrix = PanelMatrix::new(&panels, width).unwrap();
        let queries = if first_only { 1 } else { tokens };
        for head in 0..heads {
            let mut context = vec![f32::NAN; queries * size];
            let column = head * size;
            let output = context.chunks_exact_mut(size).collect();
            attend(&matrix, Head { start, tokens, column, context: output });
            let part = |part: usize, token: usize| {
                let first = (start + token) * width + part * hidden + column;
                projected[first..first + size].iter().map(|&value| f64::from(value))
            };
            for (query, found) in context.chunks_exact(size).enumerate() {
                let weights: Vec<f64> = (0..tokens)
                    .map(|key| part(0, query).zip(part(1, key)).map(|(a, b)| a * b).sum::<f64>())
                    .map(|score| (score / (size as f64).sqrt()).exp())
                    .collect();
                let sum: f64 = weights.iter().sum();
                for (index, &found) in found.iter().enumerate() {
                    let values = (0..tokens).map(|token| part(2, token).nth(index).unwrap());
                    let expected = values.zip(&weights).map(|(value, weight)| value * weight / sum).sum::<f64>();
                    prop_assert!((f64::from(found) - expected).abs() <= 2e-5, "{found} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_sequence_has_the_same_bits_alone_and_beside_others(
        ((heads, size, tokens, start, first_only), projected) in attention_input()
    ) {
        let width = 3 * heads * size;
        let own = &projected[start * width..][..tokens * width];
        let queries = if first_only { 1 } else { tokens };
        for head in 0..heads {
            let context = |floats: &[f32], start| {
                let panels = in_panels(floats, width);
                let matrix = PanelMatrix::new(&panels, width).unwrap();
                let mut context = vec![f32::NAN; queries * size];
                let output = context.chunks_exact_mut(size).collect();
                attend(&matrix, Head { start, tokens, column: head * size, context: output });
                bits(&context)
            };
            let alone = context(own, 0);
            // The thread's scratch memory then holds larger numbers, of a longer sequence.
            let other = vec![9.0; (tokens + rows::LANES) * width];
            let other_panels = in_panels(&other, width);
            let mut unused = vec![0.0; size];
            attend(&PanelMatrix::new(&other_panels, width).unwrap(), Head {
                start: 0, tokens: tokens + rows::LANES, column: 0, context: vec![&mut unused],
            });
            prop_assert_eq!(alone, context(&projected, start));
        }
    }

    #[test]
    fn a_row_of_scores_has_the_same_bits_alone_and_beside_others(
        (scores, width, length) in (1..200_usize, 1..6_usize).prop_flat_map(|(width, rows)| {
            (activations(rows * width), Just(width), 1..=width)
        })
    ) {
        let mut together = scores.clone();
        row_operations::softmax(&mut together, width, length);
        for (scores, together) in scores.chunks_exact(width).zip(together.chunks_exact(width)) {
            let mut alone = scores.to_vec();
            row_operations::softmax(&mut alone, width, length);
            prop_assert_eq!(bits(&alone), bits(together));
            let sum: f64 = together.iter().map(|&probability| f64::from(probability)).sum();
            prop_assert!((sum - 1.0).abs() <= 1e-5, "{sum}");
        }
    }

    #[test]
    fn rows_of_panels_are_the_rows_that_were_put_there(
        (floats, width) in (1..100_usize, 1..9_usize)
            .prop_flat_map(|(width, rows)| (activations(rows * width), Just(width)))
    ) {
        let panels = in_panels(&floats, width);
        let matrix = PanelMatrix::new(&panels, width).unwrap();
        prop_assert_eq!(matrix.rows(), floats.len() / width);
        for first in 0..matrix.rows() {
            let mut found = vec![f32::NAN; floats.len() - first * width];
            matrix.copy_rows(first, &mut found);
            prop_assert_eq!(&found, &floats[first * width..]);
            let columns = width / 3..width;
            let mut found = vec![f32::NAN; columns.len()];
            matrix.copy_columns(first, columns.clone(), &mut found);
            prop_assert_eq!(&found, &floats[first * width..][columns]);
        }
        let whole = PanelMatrix::new(&panels[1..], width);
        prop_assert!(whole.is_none());
    }
}
