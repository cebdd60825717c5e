//! Mean pooling.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{Float32, Int64};

use super::sequences::spans;
use super::tensors::{Input, Output, ensure};
use super::{Definition, Tensors, name};
use kernels::rows::add;

/// See [`name::MEAN_POOLING`].
pub struct MeanPooling;

impl Definition for MeanPooling {
    const NAME: &str = name::MEAN_POOLING;
    const INPUTS: Tensors = &[Float32, Int64];
    const OUTPUTS: Tensors = &[Float32];

    fn new(_: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self)
    }
}

impl Kernel for MeanPooling {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let (floats, lengths) = (Input::of(context, 0)?, Input::of(context, 1)?);
        let (floats, width) = floats.rows::<f32>()?;
        ensure(width > 0, "rows without columns have no mean")?;
        let spans = spans(lengths.values()?, floats.len() / width)?;
        let mut means = Output::of(context, 0, &[spans.len(), width])?;
        for (mean, &(start, end)) in means.values::<f32>()?.chunks_exact_mut(width).zip(&spans) {
            mean.fill(0.0);
            for row in floats[start * width..end * width].chunks_exact(width) {
                add(mean, row);
            }
            let tokens = (end - start) as f32;
            mean.iter_mut().for_each(|value| *value /= tokens);
        }
        Ok(())
    }
}
