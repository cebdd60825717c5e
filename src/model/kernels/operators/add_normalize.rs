//! Bias, residual and normalisation, and the rounding for the next product.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Int32, Uint8};

use super::{Definition, float, name};
use crate::model::kernels::passes::add_normalize;
use crate::model::kernels::rows::Normalization;
use crate::model::kernels::tensors::{
    Input, Output, OwnedColumns, ProductInputs, RoundedOutput, constant, ensure, share,
};

/// See [`name::ADD_NORMALIZE`].
pub struct AddNormalize {
    columns: OwnedColumns,
    scale: Vec<f32>,
    shift: Vec<f32>,
    epsilon: f32,
    levels: u8,
}

impl Definition for AddNormalize {
    const NAME: &str = name::ADD_NORMALIZE;
    const INPUTS: &[TensorElementType] = &[
        Int32, Float32, Float32, Float32, Int32, Float32, Float32, Float32,
    ];
    const OUTPUTS: &[TensorElementType] = &[Float32, Uint8, Float32];

    fn new(kernel: &KernelContext<'_>, levels: u8) -> ort::Result<Self> {
        let operator = Self {
            columns: OwnedColumns::of(kernel, 3)?,
            scale: constant(kernel, 6)?,
            shift: constant(kernel, 7)?,
            epsilon: float(kernel, "epsilon")?,
            levels,
        };
        let width = operator.columns.width();
        let fits = operator.scale.len() == width && operator.shift.len() == width;
        ensure(fits, "a normalisation does not fit its product")?;
        Ok(operator)
    }
}

impl Kernel for AddNormalize {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let inputs = ProductInputs::of(context)?;
        let product = inputs.product(&self.columns)?;
        let residual = Input::of(context, 2)?;
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
        let tasks = floats.values::<f32>()?.chunks_exact_mut(width);
        let tasks = tasks
            .zip(residual.chunks_exact(width))
            .zip(rounded.rows()?)
            .enumerate();
        share(
            context,
            tasks,
            rows * width,
            |(index, ((row, residual), rounded))| {
                add_normalize((&product, index), residual, normalization, row);
                rounded.set(row, self.levels);
            },
        )
    }
}
