//! Matrix multiplication of floats, with weights in fp32 or in halves.

use std::marker::PhantomData;

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::PrimitiveTensorElementType;
use ort::value::TensorElementType::{Float16, Float32};

use super::tensors::{Input, Output, Session, constant, ensure};
use super::{Definition, Tensors, name};
use half::f16;
use kernels::gemm::PANEL;
use kernels::gemm::fp32::{InstructionSet, Weight};
use kernels::gemm::panel_matrix::{PanelMatrix, pack_biases, row_stripes, stripe_panels};
use kernels::rows::{LANES, Strided};
use kernels::threads::{parallel_for_each, with_scratch};

/// Rows that go through all panels before the next rows do, so that they stay in the cache of the processor.
const STRIPE: usize = 256;

/// An element of a matrix of weights, and what multiplies with it.
pub trait Element: Weight + PrimitiveTensorElementType {
    /// The operator's name.
    const OPERATOR: &str;
    /// The operator's inputs.
    const INPUTS: Tensors;
}

impl Element for f32 {
    const OPERATOR: &str = name::LINEAR;
    const INPUTS: Tensors = &[Float32; 3];
}

impl Element for f16 {
    const OPERATOR: &str = name::HALF_LINEAR;
    const INPUTS: Tensors = &[Float32, Float16, Float32];
}

/// See [`name::LINEAR`] and [`name::HALF_LINEAR`].
pub struct Linear<W> {
    biases: Vec<[f32; PANEL]>,
    weight: PhantomData<W>,
}

impl<W: Element> Definition for Linear<W> {
    const NAME: &str = W::OPERATOR;
    const INPUTS: Tensors = W::INPUTS;
    const OUTPUTS: Tensors = &[Float32];

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        let biases = constant::<f32>(kernel, 2)?;
        ensure(!biases.is_empty(), "a matrix has no columns")?;
        Ok(Self {
            biases: pack_biases(&biases),
            weight: PhantomData,
        })
    }
}

impl<W: Element> Kernel for Linear<W> {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let (floats, matrix) = (Input::of(context, 0)?, Input::of(context, 1)?);
        let (floats, inputs) = floats.rows::<f32>()?;
        let matrix = matrix.values::<W>()?;
        ensure(
            inputs > 0
                && floats.len().is_multiple_of(inputs)
                && matrix.len() == self.biases.len() * PANEL * inputs,
            "rows do not fit the weights",
        )?;
        let rows = floats.len() / inputs;
        let mut product = Output::of(context, 0, &PanelMatrix::shape(self.biases.len(), rows))?;
        let product = product.values::<f32>()?.as_chunks_mut().0;
        for (stripe, floats) in row_stripes(rows, STRIPE).zip(floats.chunks(STRIPE * inputs)) {
            let products = stripe_panels(product, rows, stripe);
            self.multiply_stripe(context, (floats, inputs), matrix, products)?;
        }
        Ok(())
    }
}

impl<W: Element> Linear<W> {
    /// Rows at a distance of a power of two would evict each other from the cache, so they are copied apart first.
    fn multiply_stripe<'a>(
        &self,
        context: &ComputeContext,
        (floats, inputs): (&[f32], usize),
        matrix: &[W],
        products: impl Iterator<Item = &'a mut [[f32; PANEL]]>,
    ) -> ort::Result<()> {
        let stride = inputs + LANES;
        with_scratch(floats.len() / inputs * stride, |apart| {
            let copies = floats
                .chunks_exact(inputs)
                .zip(apart.chunks_exact_mut(stride));
            parallel_for_each(&Session(context), copies, floats.len(), |(row, copy)| {
                copy[..inputs].copy_from_slice(row);
            })?;
            let rows = Strided {
                floats: apart,
                stride,
            };
            let panels = matrix.chunks_exact(PANEL * inputs).zip(&self.biases);
            let instructions = InstructionSet::detect();
            parallel_for_each(
                &Session(context),
                panels.zip(products),
                matrix.len(),
                |((panel, bias), products)| instructions.multiply(rows, panel, bias, products),
            )
        })
    }
}
