//! GELU, and the rounding for the next product.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Uint8};

use super::{Definition, name, width};
use crate::model::kernels::panels::Product;
use crate::model::kernels::passes::gelu;
use crate::model::kernels::sharing::{share, with_scratch};
use crate::model::kernels::tensors::{BLOCK_ROWS, Input, RoundedOutput};

/// GELU costs several times what the other arithmetic of a row does.
const COST: usize = 4;

/// See [`name::GELU`].
pub struct Gelu {
    width: usize,
}

impl Definition for Gelu {
    const NAME: &str = name::GELU;
    const INPUTS: &[TensorElementType] = &[Float32];
    const OUTPUTS: &[TensorElementType] = &[Uint8, Float32];

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self {
            width: width(kernel)?,
        })
    }
}

impl Kernel for Gelu {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let input = Input::of(context, 0)?;
        let product = Product::of(&input, self.width)?;
        let (rows, width) = (product.rows(), product.width());
        let mut rounded = RoundedOutput::of(context, 0, [rows, width])?;
        let tasks = rounded.blocks()?.enumerate();
        share(context, tasks, COST * rows * width, |(index, rounded)| {
            with_scratch(rounded.rows() * width, |block| {
                product.copy_rows(index * BLOCK_ROWS, block);
                block.chunks_exact_mut(width).for_each(gelu);
                rounded.set(block);
            });
        })
    }
}
