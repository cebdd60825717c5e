//! Rounding weights to signed bytes.
//!
//! Each output of a matrix and each row of the word table has a scale of its own, chosen so that its greatest weight
//! becomes 127. Matrices are written in the order in which they are multiplied, so that a server maps them and needs no
//! form of its own.

use super::Error;
use super::onnx::Tensor;
use super::safetensors::{TensorPlace, Transfer};
use super::transformer::Source;
use kernels::gemm::int8::{GROUP, fits, packed_index};
use kernels::gemm::{PANEL, panel_count};

const GREATEST: f32 = 127.0;

/// A rounded matrix and what undoes the rounding, one value for each of its outputs.
pub struct RoundedMatrix {
    /// Bytes, in the order of [`packed_index`].
    pub weights: Tensor,
    /// Scales.
    pub scale: Tensor,
    /// Sums of the bytes of each output.
    pub sum: Tensor,
}

/// Rounds the stacked matrices, each `[out, in]`, into one.
pub fn round_matrix(
    source: &mut Source<'_>,
    name: &str,
    parts: &[TensorPlace],
) -> Result<RoundedMatrix, Error> {
    let inputs = parts[0].shape[1];
    let outputs = parts.iter().map(|part| part.shape[0]).sum();
    if !fits(inputs) {
        return Err(Error::Unroundable {
            name: name.to_owned(),
            inputs,
        });
    }
    let shape = [panel_count(outputs), inputs / GROUP, PANEL, GROUP];
    let mut packed = vec![0_u8; shape.iter().product()];
    let (mut scales, mut sums) = (Vec::with_capacity(outputs), Vec::with_capacity(outputs));
    for part in parts {
        let weights = source.checkpoint.weights.read(part)?;
        for row in weights.chunks_exact(inputs) {
            let output = scales.len();
            let (scale, bytes) = round_row(row);
            scales.push(scale);
            sums.push(bytes.iter().map(|&byte| i32::from(byte)).sum());
            for (input, byte) in bytes.into_iter().enumerate() {
                packed[packed_index(output, input, inputs)] = byte as u8;
            }
        }
    }
    let weights = &mut source.weights;
    Ok(RoundedMatrix {
        weights: weights.bytes(&format!("{name}.weight"), &shape, |sink| {
            sink.write_all(&packed).map_err(Transfer::Write)
        })?,
        scale: weights.floats(&format!("{name}.scale"), &[outputs], &scales)?,
        sum: weights.integers(&format!("{name}.sum"), &[outputs], &sums)?,
    })
}

/// Rounds a table row by row, a piece at a time: bytes `[rows, columns]` and scales `[rows]`.
pub fn round_table(
    source: &mut Source<'_>,
    name: &str,
    table: &TensorPlace,
) -> Result<[Tensor; 2], Error> {
    let columns = table.shape[1];
    let mut scales = Vec::with_capacity(table.shape[0]);
    let checkpoint = &mut source.checkpoint;
    let bytes = source.weights.bytes(name, &table.shape, |sink| {
        for piece in table.row_pieces() {
            let rows = checkpoint.weights.read(&piece).map_err(Transfer::Read)?;
            for row in rows.chunks_exact(columns) {
                let (scale, bytes) = round_row(row);
                scales.push(scale);
                let bytes: Vec<u8> = bytes.into_iter().map(|byte| byte as u8).collect();
                sink.write_all(&bytes).map_err(Transfer::Write)?;
            }
        }
        Ok(())
    })?;
    let scales = source
        .weights
        .floats(&format!("{name}.scale"), &[table.shape[0]], &scales)?;
    Ok([bytes, scales])
}

/// The scale of a row, and the row in steps of it.
fn round_row(row: &[f32]) -> (f32, Vec<i8>) {
    let greatest = row
        .iter()
        .fold(0.0_f32, |greatest, weight| greatest.max(weight.abs()));
    if greatest <= f32::MIN_POSITIVE {
        return (0.0, vec![0; row.len()]);
    }
    let scale = greatest / GREATEST;
    let bytes = row.iter().map(|weight| {
        (weight / scale)
            .round_ties_even()
            .clamp(-GREATEST, GREATEST) as i8
    });
    (scale, bytes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_row_is_off_by_at_most_half_a_step_and_uses_the_whole_range() {
        let row: Vec<f32> = (0..100)
            .map(|index| ((index * 37 % 100) as f32 - 40.0) * 0.01)
            .collect();
        let (scale, bytes) = round_row(&row);
        assert_eq!(
            bytes.iter().map(|byte| byte.unsigned_abs()).max(),
            Some(127)
        );
        for (weight, byte) in row.iter().zip(bytes) {
            assert!((f32::from(byte) * scale - weight).abs() <= 0.5001 * scale);
        }
    }

    #[test]
    fn a_row_of_zeros_stays_zero() {
        assert_eq!(round_row(&[0.0; 3]), (0.0, vec![0; 3]));
    }
}
