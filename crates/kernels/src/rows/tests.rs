use super::*;
use crate::gemm::PANEL;

/// Values of both signs, one of them far out.
fn row(length: usize) -> Vec<f32> {
    let wave = (0..length).map(|index| (index as f32 * 0.7).sin() * 3.0 - 1.0);
    wave.enumerate()
        .map(|(index, value)| if index == 5 { 11.0 } else { value })
        .collect()
}

/// The row that bytes and outliers stand for.
fn dequantized(quantization: &RowQuantization, bytes: &[u8]) -> Vec<f32> {
    let mut steps: Vec<i32> = bytes
        .iter()
        .map(|&byte| i32::from(byte) - quantization.zero_point)
        .collect();
    for outlier in quantization.outliers {
        steps[outlier.index] += outlier.steps;
    }
    steps
        .into_iter()
        .map(|steps| steps as f32 * quantization.scale)
        .collect()
}

#[test]
fn an_l2_normalized_row_has_length_1_and_zeros_stay() {
    for length in [1, 16, 37, 1024] {
        let mut normalized = row(length);
        l2_normalize(&mut normalized);
        let squares: f32 = normalized.iter().map(|value| value * value).sum();
        assert!((squares - 1.0).abs() < 1e-5, "{squares}");
        assert!(normalized[0] * row(length)[0] > 0.0);
    }
    let mut zeros = [0.0; 20];
    l2_normalize(&mut zeros);
    assert_eq!(zeros, [0.0; 20]);
}

#[test]
fn quantization_is_off_by_at_most_half_a_step_and_leaves_the_row_as_it_was() {
    for length in [1, 2, 16, 37, 384] {
        let mut quantized = row(length);
        let mut bytes = vec![0; length];
        let quantization = quantize(&mut quantized, &mut bytes);
        assert_eq!(quantized, row(length));
        for (value, dequantized) in quantized.iter().zip(dequantized(&quantization, &bytes)) {
            assert!(
                (dequantized - value).abs() <= 0.5001 * quantization.scale,
                "{value} became {dequantized}"
            );
        }
    }
}

#[test]
fn outliers_do_not_make_the_other_values_coarse() {
    let mut with = row(384);
    (with[100], with[301]) = (-70.0, 250.0);
    let quantization = quantize(&mut with, &mut [0; 384]);
    // Everything else lies between -4 and 11.
    assert!(quantization.scale <= 15.0 / 255.0, "{}", quantization.scale);
}

#[test]
fn an_outlier_without_bound_stays_within_its_steps() {
    let mut row = [1e-12, 1e30, -1e-12, 0.0];
    let mut bytes = [0; 4];
    let quantization = quantize(&mut row, &mut bytes);
    assert!(
        quantization
            .outliers
            .iter()
            .all(|outlier| outlier.steps.abs() <= 1_000_000)
    );
    assert!((dequantized(&quantization, &bytes)[1] / 1e30 - 1.0).abs() < 1e-6);
}

#[test]
fn a_row_of_zeros_stays_zero() {
    let mut bytes = [7; 20];
    assert_eq!(quantize(&mut [0.0; 20], &mut bytes).scale, 0.0);
}

#[test]
fn a_quantization_survives_its_tensor() {
    let quantization = quantize(&mut row(100), &mut [0; 100]);
    assert_eq!(RowQuantization::of(&quantization.stored()), quantization);
}

#[test]
fn dequantized_sums_are_the_products_of_the_floats() {
    let quantization = RowQuantization {
        scale: 0.5,
        zero_point: 3,
        outliers: [
            Outlier {
                index: 1,
                steps: 100,
            },
            Outlier::default(),
        ],
    };
    let columns = ColumnParameters {
        scale: &[2.0; PANEL],
        sum: &[10; PANEL],
        bias: &[1.0; PANEL],
    };
    // The weight of input 1 is 2 in every column, all others are 0.
    let panel: Vec<i8> = (0..4 * PANEL)
        .map(|index| if index % 4 == 1 { 2 } else { 0 })
        .collect();
    let mut floats = [0.0; PANEL];
    dequantize_sums(&[34; PANEL], &quantization, &panel, columns, &mut floats);
    assert_eq!(floats, [(34 + 200 - 30) as f32 + 1.0; PANEL]);
}

#[test]
fn normalized_rows_have_mean_zero_and_variance_one() {
    let mut row = row(100);
    let normalization = Normalization {
        scale: &[1.0; 100],
        shift: &[0.0; 100],
        epsilon: 1e-12,
    };
    normalize(&mut row, normalization);
    let mean = row.iter().sum::<f32>() / 100.0;
    let variance = row.iter().map(|value| value * value).sum::<f32>() / 100.0;
    assert!(
        mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5,
        "{mean} {variance}"
    );
}

#[test]
fn gelu_equals_its_integral_to_six_digits() {
    for index in -600..=600 {
        let x = f64::from(index) / 100.0;
        // Simpson's rule over the normal density from 0 to x.
        let steps = 2000;
        let width = x / f64::from(steps);
        let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let area: f64 = (0..steps)
            .map(|step| {
                let left = f64::from(step) * width;
                (density(left) + 4.0 * density(left + width / 2.0) + density(left + width)) * width
                    / 6.0
            })
            .sum();
        let expected = x * (0.5 + area);
        let mut row = [x as f32];
        gelu(&mut row);
        assert!(
            (f64::from(row[0]) - expected).abs() < 2e-6,
            "{x}: {} instead of {expected}",
            row[0]
        );
    }
}

#[test]
fn softmax_probabilities_sum_to_one_and_keep_their_ratios() {
    let scores = row(50);
    let mut probabilities = scores.clone();
    softmax(&mut probabilities);
    assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    let ratio = f64::from(probabilities[3]) / f64::from(probabilities[7]);
    let expected = f64::from(scores[3] - scores[7]).exp();
    assert!((ratio / expected - 1.0).abs() < 1e-5);
}

#[test]
fn multiplying_in_blocks_equals_multiplying_one_by_one() {
    for (rows, inner, columns) in [(1, 1, 16), (3, 12, 32), (8, 64, 16), (21, 5, 48)] {
        let stride = inner + 2;
        let left = row(rows * stride);
        let right = row(inner * columns);
        let blocks: Vec<Block> = (0..columns / LANES)
            .flat_map(|block| (0..inner).map(move |index| index * columns + block * LANES))
            .map(|start| right[start..start + LANES].try_into().unwrap())
            .collect();
        let mut product = vec![0.0; rows * columns];
        let strided = Strided {
            floats: &left,
            stride,
        };
        multiply(strided, rows, inner, &blocks, &mut product);
        for (index, found) in product.iter().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let expected: f32 = (0..inner)
                .map(|index| left[row * stride + index] * right[index * columns + column])
                .sum();
            assert!(
                (found - expected).abs() < 1e-3 * (1.0 + expected.abs()),
                "{found} {expected}"
            );
        }
    }
}

#[test]
fn far_lower_scores_get_probability_zero() {
    let mut probabilities = [0.0, -1000.0, f32::MIN / 4.0];
    softmax(&mut probabilities);
    assert_eq!(probabilities[0], 1.0);
    assert!(probabilities[1] < 1e-37 && probabilities[2] < 1e-37);
}
