//! Residual and layer normalization.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::Float32;

use super::tensors::{BLOCK_ROWS, Input, RowsOutput, Session, constant, ensure, panels};
use super::{Definition, HIDDEN_STATES, Tensors, attribute, form, name};
use kernels::row_operations::add_layer_normalization;
use kernels::rows::Normalization;
use kernels::threads::parallel_for_each;

/// See [`name::ADD_LAYER_NORMALIZATION`].
pub struct AddLayerNormalization<const QUANTIZED: bool> {
    scale: Vec<f32>,
    shift: Vec<f32>,
    epsilon: f32,
}

impl<const QUANTIZED: bool> Definition for AddLayerNormalization<QUANTIZED> {
    const NAME: &str = form(name::ADD_LAYER_NORMALIZATION, QUANTIZED);
    const INPUTS: Tensors = &[Float32; 4];
    const OUTPUTS: Tensors = form(HIDDEN_STATES, QUANTIZED);

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        let operator = Self {
            scale: constant(kernel, 2)?,
            shift: constant(kernel, 3)?,
            epsilon: attribute(kernel, "epsilon")?,
        };
        let width = operator.scale.len();
        ensure(
            width > 0 && operator.shift.len() == width,
            "scale and shift of a normalization differ in length",
        )?;
        Ok(operator)
    }
}

impl<const QUANTIZED: bool> Kernel for AddLayerNormalization<QUANTIZED> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let (product, residual) = (Input::of(context, 0)?, Input::of(context, 1)?);
        let product = panels(&product, self.scale.len())?;
        let residual = residual.values::<f32>()?;
        let (rows, width) = (product.rows(), product.width());
        ensure(
            residual.len() == rows * width,
            "a residual does not have the shape of its panels",
        )?;
        let mut output = RowsOutput::of(context, Self::OUTPUTS, [rows, width])?;
        let normalization = Normalization {
            scale: &self.scale,
            shift: &self.shift,
            epsilon: self.epsilon,
        };
        let residuals = residual.chunks(BLOCK_ROWS * width);
        let tasks = output.blocks()?.into_iter().zip(residuals).enumerate();
        parallel_for_each(
            &Session(context),
            tasks,
            rows * width,
            |(index, (block, residuals))| {
                block.write(|floats| {
                    product.copy_rows(index * BLOCK_ROWS, floats);
                    let residuals = residuals.chunks_exact(width);
                    for (row, residual) in floats.chunks_exact_mut(width).zip(residuals) {
                        add_layer_normalization(residual, normalization, row);
                    }
                });
            },
        )
    }
}
