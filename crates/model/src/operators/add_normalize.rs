//! Residual and normalisation.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32};

use super::tensors::{BLOCK_ROWS, Input, RowsOutput, Session, constant, ensure, multiplied};
use super::{BOTH_ROWS, Definition, FLOAT_ROWS, float, name};
use kernels::passes::add_normalize;
use kernels::rows::Normalization;
use kernels::sharing::share;

/// See [`name::ADD_NORMALIZE`] and [`name::ADD_NORMALIZE_ROUND`].
pub struct AddNormalize<const ROUNDED: bool> {
    scale: Vec<f32>,
    shift: Vec<f32>,
    epsilon: f32,
}

impl<const ROUNDED: bool> Definition for AddNormalize<ROUNDED> {
    const NAME: &str = if ROUNDED {
        name::ADD_NORMALIZE_ROUND
    } else {
        name::ADD_NORMALIZE
    };
    const INPUTS: &[TensorElementType] = &[Float32; 4];
    const OUTPUTS: &[TensorElementType] = if ROUNDED { BOTH_ROWS } else { FLOAT_ROWS };

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        let operator = Self {
            scale: constant(kernel, 2)?,
            shift: constant(kernel, 3)?,
            epsilon: float(kernel, "epsilon")?,
        };
        let width = operator.scale.len();
        ensure(
            width > 0 && operator.shift.len() == width,
            "the scales and shifts of a normalisation differ in number",
        )?;
        Ok(operator)
    }
}

impl<const ROUNDED: bool> Kernel for AddNormalize<ROUNDED> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let (product, residual) = (Input::of(context, 0)?, Input::of(context, 1)?);
        let product = multiplied(&product, self.scale.len())?;
        let residual = residual.values::<f32>()?;
        let (rows, width) = (product.rows(), product.width());
        ensure(
            residual.len() == rows * width,
            "a residual does not fit its product",
        )?;
        let mut output = RowsOutput::of(context, Self::OUTPUTS, [rows, width])?;
        let normalization = Normalization {
            scale: &self.scale,
            shift: &self.shift,
            epsilon: self.epsilon,
        };
        let residuals = residual.chunks(BLOCK_ROWS * width);
        let tasks = output.blocks()?.into_iter().zip(residuals).enumerate();
        share(
            &Session(context),
            tasks,
            rows * width,
            |(index, (block, residuals))| {
                block.write(|floats| {
                    product.copy_rows(index * BLOCK_ROWS, floats);
                    let residuals = residuals.chunks_exact(width);
                    for (row, residual) in floats.chunks_exact_mut(width).zip(residuals) {
                        add_normalize(residual, normalization, row);
                    }
                });
            },
        )
    }
}
