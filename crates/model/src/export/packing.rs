//! Matrices of floats in the order in which they are multiplied, so that a server maps them and needs no form of its own.

use super::Error;
use super::onnx::Tensor;
use super::safetensors::TensorPlace;
use super::transformer::Source;
use kernels::gemm::fp32::packed_index;
use kernels::gemm::{PANEL, panel_count};

/// Packs the stacked matrices, each `[out, in]`, into one, in the order of [`packed_index`].
pub fn pack_matrix(
    source: &mut Source<'_>,
    name: &str,
    parts: &[TensorPlace],
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
                packed[packed_index(output, input, inputs)] = weight;
            }
            output += 1;
        }
    }
    source
        .weights
        .floats(&format!("{name}.weight"), &shape, &packed)
}
