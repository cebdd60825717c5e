//! Residual and normalisation, and the rounding for the next product.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Uint8};

use super::{Definition, float, name};
use crate::model::kernels::panels::Product;
use crate::model::kernels::passes::add_normalize;
use crate::model::kernels::rows::Normalization;
use crate::model::kernels::sharing::share;
use crate::model::kernels::tensors::{BLOCK_ROWS, Input, Output, RoundedOutput, constant, ensure};

/// See [`name::ADD_NORMALIZE`].
pub struct AddNormalize {
    scale: Vec<f32>,
    shift: Vec<f32>,
    epsilon: f32,
}

impl Definition for AddNormalize {
    const NAME: &str = name::ADD_NORMALIZE;
    const INPUTS: &[TensorElementType] = &[Float32; 4];
    const OUTPUTS: &[TensorElementType] = &[Float32, Uint8, Float32];

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

impl Kernel for AddNormalize {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let (product, residual) = (Input::of(context, 0)?, Input::of(context, 1)?);
        let product = Product::of(&product, self.scale.len())?;
        let residual = residual.values::<f32>()?;
        let (rows, width) = (product.rows(), product.width());
        ensure(
            residual.len() == rows * width,
            "a residual does not fit its product",
        )?;
        let mut floats = Output::of(context, 0, &[rows, width])?;
        let mut rounded = RoundedOutput::of(context, 1, [rows, width])?;
        let normalization = Normalization {
            scale: &self.scale,
            shift: &self.shift,
            epsilon: self.epsilon,
        };
        let size = BLOCK_ROWS * width;
        let blocks = floats.values::<f32>()?.chunks_mut(size);
        let tasks = blocks.zip(residual.chunks(size)).zip(rounded.blocks()?);
        share(
            context,
            tasks.enumerate(),
            rows * width,
            |(index, ((block, residual), rounded))| {
                product.copy_rows(index * BLOCK_ROWS, block);
                let residuals = residual.chunks_exact(width);
                for (row, residual) in block.chunks_exact_mut(width).zip(residuals) {
                    add_normalize(residual, normalization, row);
                }
                rounded.set(block);
            },
        )
    }
}
