//! L2 normalization of vectors.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::Float32;

use super::tensors::{Input, Output, ensure};
use super::{Definition, Tensors, name};
use kernels::row_operations::l2_normalize;

/// See [`name::NORMALIZE_VECTORS`].
pub struct NormalizeVectors;

impl Definition for NormalizeVectors {
    const NAME: &str = name::NORMALIZE_VECTORS;
    const INPUTS: Tensors = &[Float32];
    const OUTPUTS: Tensors = &[Float32];

    fn new(_: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self)
    }
}

impl Kernel for NormalizeVectors {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let input = Input::of(context, 0)?;
        let (floats, width) = input.rows::<f32>()?;
        ensure(width > 0, "vectors without dimensions have no length")?;
        let mut vectors = Output::of(context, 0, &[floats.len() / width, width])?;
        let vectors = vectors.values::<f32>()?;
        vectors.copy_from_slice(floats);
        vectors.chunks_exact_mut(width).for_each(l2_normalize);
        Ok(())
    }
}
