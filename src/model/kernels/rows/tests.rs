use super::*;

/// Values of both signs, one of them far out.
fn row(length: usize) -> Vec<f32> {
    let wave = (0..length).map(|index| (index as f32 * 0.7).sin() * 3.0 - 1.0);
    wave.enumerate()
        .map(|(index, value)| if index == 5 { 11.0 } else { value })
        .collect()
}

#[test]
fn rounding_to_bytes_is_off_by_at_most_half_a_step() {
    for (length, levels) in [(1, 255), (16, 255), (37, 127), (384, 255)] {
        let row = row(length);
        let mut bytes = vec![0; length];
        let rounding = quantize(&row, levels, &mut bytes);
        for (value, &byte) in row.iter().zip(&bytes) {
            let back = rounding.scale * (i32::from(byte) - rounding.zero) as f32;
            assert!(
                (back - value).abs() <= 0.5001 * rounding.scale,
                "{value} became {back}"
            );
            assert!(byte <= levels);
        }
    }
}

#[test]
fn a_row_of_zeros_stays_zero() {
    let mut bytes = [7; 20];
    assert_eq!(quantize(&[0.0; 20], 255, &mut bytes).scale, 0.0);
}

#[test]
fn a_product_of_bytes_comes_back_as_the_product_of_floats() {
    let rounding = Rounding {
        scale: 0.5,
        zero: 3,
    };
    let columns = Columns {
        scale: &[2.0, 0.25],
        sum: &[10, -4],
        bias: &[1.0, -1.0],
    };
    let mut floats = [0.0; 2];
    dequantize(&[34, -8], rounding, columns, &mut floats);
    assert_eq!(floats, [5.0, -0.5]);
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
fn softmax_shares_sum_to_one_and_keep_their_ratios() {
    let scores = row(50);
    let mut shares = scores.clone();
    softmax(&mut shares);
    assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    let ratio = f64::from(shares[3]) / f64::from(shares[7]);
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
        for (place, found) in product.iter().enumerate() {
            let (row, column) = (place / columns, place % columns);
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
fn far_lower_scores_get_no_share_and_no_nonsense() {
    let mut shares = [0.0, -1000.0, f32::MIN / 4.0];
    softmax(&mut shares);
    assert_eq!(shares[0], 1.0);
    assert!(shares[1] < 1e-37 && shares[2] < 1e-37);
}
