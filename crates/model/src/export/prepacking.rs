//! Prepacked matrices: weights in the layout that the kernels read.
//!
//! The model directory holds them in that layout, so a server maps them and never makes a copy of its own.

use super::error::Error;
use super::quantization::QuantizedRow;
use super::safetensors::{CopyError, TensorLocation};
use super::weight_source::WeightSource;
use crate::onnx::Tensor;
use kernels::gemm::int8::{self, GROUP, fits};
use kernels::gemm::{PANEL, fp32, panel_count};

/// A prepacked int8 matrix and what is needed to dequantize its products: one value for each output.
pub struct QuantizedMatrix {
    /// Bytes, in the layout of [`int8::packed_index`].
    pub weights: Tensor,
    /// Scales, `[outputs]`.
    pub scale: Tensor,
    /// Sums of each output's bytes, `[outputs]`.
    pub sum: Tensor,
}

/// Prepacks stacked matrices, each `[outputs, inputs]`, into one fp32 matrix, in the layout of [`fp32::packed_index`].
pub fn prepack(
    source: &mut WeightSource<'_>,
    name: &str,
    parts: &[TensorLocation],
) -> Result<Tensor, Error> {
    let inputs = parts[0].shape[1];
    let outputs = parts.iter().map(|part| part.shape[0]).sum();
    let shape = [panel_count(outputs), inputs, PANEL];
    let mut packed = vec![0.0_f32; shape.iter().product()];
    let mut output = 0;
    for part in parts {
        let weights = source.checkpoint.weights.read(part)?;
        for row in weights.chunks_exact(inputs) {
            for (input, &weight) in row.iter().enumerate() {
                packed[fp32::packed_index(output, input, inputs)] = weight;
            }
            output += 1;
        }
    }
    source
        .external_data
        .floats(&format!("{name}.weight"), &shape, &packed)
}

/// Quantizes and prepacks stacked matrices, each `[outputs, inputs]`, into one int8 matrix.
pub fn prepack_quantized(
    source: &mut WeightSource<'_>,
    name: &str,
    parts: &[TensorLocation],
) -> Result<QuantizedMatrix, Error> {
    let inputs = parts[0].shape[1];
    let outputs = parts.iter().map(|part| part.shape[0]).sum();
    if !fits(inputs) {
        return Err(Error::NotQuantizable {
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
            let QuantizedRow { values, scale } = QuantizedRow::new(row);
            scales.push(scale);
            sums.push(values.iter().map(|&value| i32::from(value)).sum());
            for (input, value) in values.into_iter().enumerate() {
                packed[int8::packed_index(output, input, inputs)] = value.cast_unsigned();
            }
        }
    }
    let file = &mut source.external_data;
    Ok(QuantizedMatrix {
        weights: file.bytes(&format!("{name}.weight"), &shape, |sink| {
            sink.write_all(&packed).map_err(CopyError::Write)
        })?,
        scale: file.floats(&format!("{name}.scale"), &[outputs], &scales)?,
        sum: file.integers(&format!("{name}.sum"), &[outputs], &sums)?,
    })
}
