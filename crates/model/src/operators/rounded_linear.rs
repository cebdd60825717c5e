//! The product of rounded rows with a matrix, as floats.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Int8, Int32, Uint8};

use super::tensors::{Input, Output, Session, constant, ensure};
use super::{Definition, name};
use kernels::panels::{OwnedColumns, Product, stripe_of, stripes};
use kernels::passes::dequantize;
use kernels::product::bytes::{Instructions, fits};
use kernels::product::{PANEL, ROWS, piece};
use kernels::rows::{Columns, StoredRounding};
use kernels::sharing::share;

/// Rows that go through all panels before the next rows do, so that they stay in the cache of the processor.
const STRIPE: usize = 512;

/// See [`name::ROUNDED_LINEAR`].
pub struct RoundedLinear {
    columns: OwnedColumns,
}

impl Definition for RoundedLinear {
    const NAME: &str = name::ROUNDED_LINEAR;
    const INPUTS: &[TensorElementType] = &[Uint8, Float32, Int8, Float32, Int32, Float32];
    const OUTPUTS: &[TensorElementType] = &[Float32];

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self {
            columns: OwnedColumns::new(
                &constant::<f32>(kernel, 3)?,
                &constant::<i32>(kernel, 4)?,
                &constant::<f32>(kernel, 5)?,
            )
            .ok_or_else(|| ort::Error::new("the columns of a product differ in number"))?,
        })
    }
}

impl Kernel for RoundedLinear {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let bytes = Input::of(context, 0)?;
        let roundings = Input::of(context, 1)?;
        let matrix = Input::of(context, 2)?;
        let (bytes, inputs) = bytes.rows::<u8>()?;
        let roundings = roundings.values::<f32>()?.as_chunks().0;
        let matrix = matrix.values::<i8>()?;
        let (rows, panels) = (roundings.len(), self.columns.panels());
        ensure(
            fits(inputs) && bytes.len() == rows * inputs && matrix.len() == panels * PANEL * inputs,
            "rounded rows do not fit a matrix",
        )?;
        let mut product = Output::of(context, 0, &Product::sizes(panels, rows))?;
        let product = product.values::<f32>()?.as_chunks_mut().0;
        let instructions = Instructions::detect();
        for (stripe, rounded) in stripes(rows, STRIPE).zip(bytes.chunks(STRIPE * inputs)) {
            let roundings = &roundings[stripe.clone()];
            let panels = matrix.chunks_exact(PANEL * inputs).enumerate();
            let tasks = panels.zip(stripe_of(product, rows, stripe));
            share(
                &Session(context),
                tasks,
                matrix.len(),
                |((index, panel), floats)| {
                    let columns = self.columns.panel(index);
                    multiply(instructions, (rounded, roundings), (panel, columns), floats);
                },
            )?;
        }
        Ok(())
    }
}

/// Multiplies all rows with one panel.
fn multiply(
    instructions: Instructions,
    (bytes, roundings): (&[u8], &[StoredRounding]),
    (panel, columns): (&[i8], Columns<'_>),
    floats: &mut [[f32; PANEL]],
) {
    let inputs = panel.len() / PANEL;
    let piece = piece(floats.len());
    let pieces = bytes
        .chunks(piece * inputs)
        .zip(roundings.chunks(piece))
        .zip(floats.chunks_mut(piece));
    let mut sums = [[0; PANEL]; ROWS];
    for ((bytes, roundings), floats) in pieces {
        instructions.multiply(bytes, inputs, panel, &mut sums);
        dequantize(&sums, roundings, (panel, columns), floats);
    }
}
