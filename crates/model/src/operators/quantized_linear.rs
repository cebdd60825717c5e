//! Matrix multiplication of quantized rows; the output is floats.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{Float32, Int8, Int32, Uint8};

use super::tensors::{Input, Output, Session, constant, ensure};
use super::{Definition, Tensors, name};
use kernels::gemm::int8::{InstructionSet, fits};
use kernels::gemm::panel_matrix::{PackedColumns, PanelMatrix, row_stripes, stripe_panels};
use kernels::gemm::{PANEL, ROWS, rows_per_block};
use kernels::row_operations::dequantize_sums;
use kernels::rows::{ColumnParameters, RowQuantization, StoredQuantization};
use kernels::threads::parallel_for_each;

/// Rows that go through all panels before the next rows do, so that they stay in the cache of the processor.
const STRIPE: usize = 512;

/// See [`name::QUANTIZED_LINEAR`].
pub struct QuantizedLinear {
    columns: PackedColumns,
}

impl Definition for QuantizedLinear {
    const NAME: &str = name::QUANTIZED_LINEAR;
    const INPUTS: Tensors = &[Uint8, Float32, Int8, Float32, Int32, Float32];
    const OUTPUTS: Tensors = &[Float32];

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        Ok(Self {
            columns: PackedColumns::new(
                &constant::<f32>(kernel, 3)?,
                &constant::<i32>(kernel, 4)?,
                &constant::<f32>(kernel, 5)?,
            )
            .ok_or_else(|| ort::Error::new("scales, sums and biases differ in length"))?,
        })
    }
}

impl Kernel for QuantizedLinear {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let bytes = Input::of(context, 0)?;
        let quantizations = Input::of(context, 1)?;
        let matrix = Input::of(context, 2)?;
        let (bytes, inputs) = bytes.rows::<u8>()?;
        let quantizations = quantizations.values::<f32>()?.as_chunks().0;
        let matrix = matrix.values::<i8>()?;
        let (rows, panels) = (quantizations.len(), self.columns.panels());
        ensure(
            fits(inputs) && bytes.len() == rows * inputs && matrix.len() == panels * PANEL * inputs,
            "quantized rows do not fit the weights",
        )?;
        let valid = |stored| RowQuantization::is_valid(stored, inputs);
        ensure(
            quantizations.iter().all(valid),
            "the quantization of a row is not finite or has an outlier beyond the row",
        )?;
        let mut product = Output::of(context, 0, &PanelMatrix::shape(panels, rows))?;
        let product = product.values::<f32>()?.as_chunks_mut().0;
        let instructions = InstructionSet::detect();
        for (stripe, quantized) in row_stripes(rows, STRIPE).zip(bytes.chunks(STRIPE * inputs)) {
            let quantizations = &quantizations[stripe.clone()];
            let panels = matrix.chunks_exact(PANEL * inputs).enumerate();
            let tasks = panels.zip(stripe_panels(product, rows, stripe));
            parallel_for_each(
                &Session(context),
                tasks,
                matrix.len(),
                |((index, panel), floats)| {
                    let columns = self.columns.panel(index);
                    multiply(
                        instructions,
                        (quantized, quantizations),
                        (panel, columns),
                        floats,
                    );
                },
            )?;
        }
        Ok(())
    }
}

/// Multiplies all rows with one panel.
fn multiply(
    instructions: InstructionSet,
    (bytes, quantizations): (&[u8], &[StoredQuantization]),
    (panel, columns): (&[i8], ColumnParameters<'_>),
    floats: &mut [[f32; PANEL]],
) {
    let inputs = panel.len() / PANEL;
    let block = rows_per_block(floats.len(), ROWS);
    let blocks = bytes
        .chunks(block * inputs)
        .zip(quantizations.chunks(block))
        .zip(floats.chunks_mut(block));
    let mut sums = [[0; PANEL]; ROWS];
    for ((bytes, quantizations), floats) in blocks {
        instructions.multiply(bytes, panel, columns.sum, &mut sums);
        dequantize_sums(&sums, quantizations, (panel, columns), floats);
    }
}
