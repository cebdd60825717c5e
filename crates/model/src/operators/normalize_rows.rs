//! L2 normalization of rows.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::Float32;

use super::tensors::{BLOCK_ROWS, Input, RowsOutput, Session, panels};
use super::{Definition, Tensors, name, width};
use kernels::row_operations::l2_normalize;
use kernels::threads::parallel_for_each;

/// See [`name::NORMALIZE_ROWS`].
pub struct NormalizeRows {
    width: usize,
}

impl Definition for NormalizeRows {
    const NAME: &str = name::NORMALIZE_ROWS;
    const INPUTS: Tensors = &[Float32];
    const OUTPUTS: Tensors = &[Float32];

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self {
            width: width(kernel)?,
        })
    }
}

impl Kernel for NormalizeRows {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let input = Input::of(context, 0)?;
        let product = panels(&input, self.width)?;
        let (rows, width) = (product.rows(), product.width());
        let mut output = RowsOutput::of(context, Self::OUTPUTS, [rows, width])?;
        let tasks = output.blocks()?.into_iter().enumerate();
        parallel_for_each(&Session(context), tasks, rows * width, |(index, block)| {
            block.write(|floats| {
                product.copy_rows(index * BLOCK_ROWS, floats);
                floats.chunks_exact_mut(width).for_each(l2_normalize);
            });
        })
    }
}
