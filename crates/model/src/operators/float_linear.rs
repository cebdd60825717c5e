//! The product of rows of floats with a matrix.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32};

use super::tensors::{Input, Output, Session, constant, ensure};
use super::{Definition, name};
use kernels::panels::{Product, owned_biases, stripe_of, stripes};
use kernels::product::floats::Instructions;
use kernels::product::{PANEL, piece};
use kernels::rows::{LANES, Strided};
use kernels::sharing::{share, with_scratch};

/// Rows that go through all panels before the next rows do, so that they stay in the cache of the processor.
const STRIPE: usize = 256;

/// See [`name::FLOAT_LINEAR`].
pub struct FloatLinear {
    biases: Vec<[f32; PANEL]>,
}

impl Definition for FloatLinear {
    const NAME: &str = name::FLOAT_LINEAR;
    const INPUTS: &[TensorElementType] = &[Float32; 3];
    const OUTPUTS: &[TensorElementType] = &[Float32];

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        let biases = constant::<f32>(kernel, 2)?;
        ensure(!biases.is_empty(), "a product has no columns")?;
        Ok(Self {
            biases: owned_biases(&biases),
        })
    }
}

impl Kernel for FloatLinear {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let (floats, matrix) = (Input::of(context, 0)?, Input::of(context, 1)?);
        let (floats, inputs) = floats.rows::<f32>()?;
        let matrix = matrix.values::<f32>()?;
        ensure(
            inputs > 0
                && floats.len().is_multiple_of(inputs)
                && matrix.len() == self.biases.len() * PANEL * inputs,
            "rows do not fit a matrix",
        )?;
        let rows = floats.len() / inputs;
        let mut product = Output::of(context, 0, &Product::sizes(self.biases.len(), rows))?;
        let product = product.values::<f32>()?.as_chunks_mut().0;
        for (stripe, floats) in stripes(rows, STRIPE).zip(floats.chunks(STRIPE * inputs)) {
            let products = stripe_of(product, rows, stripe);
            self.multiply_stripe(context, (floats, inputs), matrix, products)?;
        }
        Ok(())
    }
}

impl FloatLinear {
    /// Rows whose distance is a power of two would drive each other out of the cache, so they are moved apart first.
    fn multiply_stripe<'a>(
        &self,
        context: &ComputeContext,
        (floats, inputs): (&[f32], usize),
        matrix: &[f32],
        products: impl Iterator<Item = &'a mut [[f32; PANEL]]>,
    ) -> ort::Result<()> {
        let stride = inputs + LANES;
        with_scratch(floats.len() / inputs * stride, |apart| {
            let copies = floats
                .chunks_exact(inputs)
                .zip(apart.chunks_exact_mut(stride));
            share(&Session(context), copies, floats.len(), |(row, copy)| {
                copy[..inputs].copy_from_slice(row);
            })?;
            let rows = Strided {
                floats: apart,
                stride,
            };
            let panels = matrix.chunks_exact(PANEL * inputs).zip(&self.biases);
            let instructions = Instructions::detect();
            share(
                &Session(context),
                panels.zip(products),
                matrix.len(),
                |((panel, bias), products)| multiply(instructions, rows, (panel, bias), products),
            )
        })
    }
}

/// Multiplies all rows with one panel.
fn multiply(
    instructions: Instructions,
    rows: Strided<'_>,
    (panel, bias): (&[f32], &[f32; PANEL]),
    products: &mut [[f32; PANEL]],
) {
    let piece = piece(products.len());
    for (index, products) in products.chunks_mut(piece).enumerate() {
        let rows = Strided {
            floats: &rows.floats[index * piece * rows.stride..],
            stride: rows.stride,
        };
        instructions.multiply(rows, panel, bias, products);
    }
}
