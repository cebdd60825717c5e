//! Bias and GELU, and the rounding for the next product.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Int32, Uint8};

use super::{Definition, name};
use crate::model::kernels::passes::gelu;
use crate::model::kernels::tensors::{OwnedColumns, ProductInputs, RoundedOutput, share};

/// GELU costs several times what the other arithmetic of a row does.
const COST: usize = 4;

/// See [`name::GELU`].
pub struct Gelu {
    columns: OwnedColumns,
    levels: u8,
}

impl Definition for Gelu {
    const NAME: &str = name::GELU;
    const INPUTS: &[TensorElementType] = &[Int32, Float32, Float32, Int32, Float32];
    const OUTPUTS: &[TensorElementType] = &[Uint8, Float32];

    fn new(kernel: &KernelContext<'_>, levels: u8) -> ort::Result<Self> {
        Ok(Self {
            columns: OwnedColumns::of(kernel, 2)?,
            levels,
        })
    }
}

impl Kernel for Gelu {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let inputs = ProductInputs::of(context)?;
        let product = inputs.product(&self.columns)?;
        let (rows, width) = (product.rows(), product.width());
        let mut rounded = RoundedOutput::of(context, 0, [rows, width])?;
        let tasks = rounded.rows()?.enumerate();
        share(context, tasks, COST * rows * width, |(index, rounded)| {
            let mut row = vec![0.0; width];
            gelu((&product, index), &mut row);
            rounded.set(&row, self.levels);
        })
    }
}
