//! The sparse head's activation.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::Float32;

use super::tensors::{Input, Output, panels};
use super::{Definition, Tensors, name};

/// See [`name::TOKEN_WEIGHTS`].
pub struct TokenWeights;

impl Definition for TokenWeights {
    const NAME: &str = name::TOKEN_WEIGHTS;
    const INPUTS: Tensors = &[Float32];
    const OUTPUTS: Tensors = &[Float32];

    fn new(_: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self)
    }
}

impl Kernel for TokenWeights {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let input = Input::of(context, 0)?;
        let product = panels(&input, 1)?;
        let mut output = Output::of(context, 0, &[product.rows()])?;
        let weights = output.values::<f32>()?;
        product.copy_rows(0, weights);
        for weight in weights {
            // Unlike the greater of the two, this keeps NaN, so that a broken model is noticed.
            if *weight < 0.0 {
                *weight = 0.0;
            }
        }
        Ok(())
    }
}
