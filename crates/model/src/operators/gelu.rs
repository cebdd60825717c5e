//! GELU.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::Float32;

use super::tensors::{BLOCK_ROWS, Input, RowsOutput, Session, panels};
use super::{ACTIVATIONS, Definition, Tensors, form, name, width};
use kernels::row_operations::gelu;
use kernels::threads::parallel_for_each;

/// GELU costs several times as much as the other operations on a row.
const COST: usize = 4;

/// See [`name::GELU`].
pub struct Gelu<const QUANTIZED: bool> {
    width: usize,
}

impl<const QUANTIZED: bool> Definition for Gelu<QUANTIZED> {
    const NAME: &str = form(name::GELU, QUANTIZED);
    const INPUTS: Tensors = &[Float32];
    const OUTPUTS: Tensors = form(ACTIVATIONS, QUANTIZED);

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self {
            width: width(kernel)?,
        })
    }
}

impl<const QUANTIZED: bool> Kernel for Gelu<QUANTIZED> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let input = Input::of(context, 0)?;
        let product = panels(&input, self.width)?;
        let (rows, width) = (product.rows(), product.width());
        let mut output = RowsOutput::of(context, Self::OUTPUTS, [rows, width])?;
        let tasks = output.blocks()?.into_iter().enumerate();
        parallel_for_each(
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
