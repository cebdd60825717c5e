//! L2 normalization of rows.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::Float32;

use super::tensors::{Input, change_rows, panels};
use super::{Definition, Tensors, name, width};
use kernels::row_operations::l2_normalize;

/// It costs no more than copying a row.
const COST: usize = 1;

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
        change_rows(context, Self::OUTPUTS, &product, (l2_normalize, COST))
    }
}
