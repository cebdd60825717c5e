//! GELU.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32};

use super::tensors::{BLOCK_ROWS, Input, RowsOutput, Session, multiplied};
use super::{Definition, FLOAT_ROWS, ROUNDED_ROWS, name, width};
use kernels::passes::gelu;
use kernels::sharing::share;

/// GELU costs several times what the other arithmetic of a row does.
const COST: usize = 4;

/// See [`name::GELU`] and [`name::GELU_ROUND`].
pub struct Gelu<const ROUNDED: bool> {
    width: usize,
}

impl<const ROUNDED: bool> Definition for Gelu<ROUNDED> {
    const NAME: &str = if ROUNDED {
        name::GELU_ROUND
    } else {
        name::GELU
    };
    const INPUTS: &[TensorElementType] = &[Float32];
    const OUTPUTS: &[TensorElementType] = if ROUNDED { ROUNDED_ROWS } else { FLOAT_ROWS };

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self {
            width: width(kernel)?,
        })
    }
}

impl<const ROUNDED: bool> Kernel for Gelu<ROUNDED> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let input = Input::of(context, 0)?;
        let product = multiplied(&input, self.width)?;
        let (rows, width) = (product.rows(), product.width());
        let mut output = RowsOutput::of(context, Self::OUTPUTS, [rows, width])?;
        let tasks = output.blocks()?.into_iter().enumerate();
        share(
            &Session(context),
            tasks,
            COST * rows * width,
            |(index, block)| {
                block.write(|floats| {
                    product.copy_rows(index * BLOCK_ROWS, floats);
                    floats.chunks_exact_mut(width).for_each(gelu);
                });
            },
        )
    }
}
