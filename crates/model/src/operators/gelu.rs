//! GELU.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::Float32;

use super::tensors::{Input, change_rows, panels};
use super::{ACTIVATIONS, Definition, Tensors, form, name, width};
use kernels::row_operations::gelu;

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
        change_rows(context, Self::OUTPUTS, &product, (gelu, COST))
    }
}
