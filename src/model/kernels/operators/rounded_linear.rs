//! The product of rounded rows with a matrix, as floats.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{self, Float32, Int8, Int32, Uint8};

use super::{Definition, name};
use crate::model::kernels::panels::{OwnedColumns, Product};
use crate::model::kernels::passes::dequantize;
use crate::model::kernels::product::bytes::{Instructions, fits};
use crate::model::kernels::product::{PANEL, ROWS, piece};
use crate::model::kernels::rows::StoredRounding;
use crate::model::kernels::sharing::share;
use crate::model::kernels::tensors::{Input, Output, ensure};

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
            columns: OwnedColumns::of(kernel, 3)?,
        })
    }
}

/// Some rows, and one panel of the matrix.
struct Task<'a> {
    bytes: &'a [u8],
    roundings: &'a [StoredRounding],
    panel: usize,
    floats: &'a mut [[f32; PANEL]],
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
        if rows == 0 {
            return Ok(());
        }
        let product = product.values::<f32>()?.as_chunks_mut().0;
        let panels = product.chunks_exact_mut(rows).enumerate();
        let mut tasks: Vec<(usize, Task<'_>)> = panels
            .flat_map(|(panel, floats)| {
                let stripes = floats.chunks_mut(STRIPE).enumerate();
                stripes.map(move |(stripe, floats)| {
                    let first = stripe * STRIPE;
                    let task = Task {
                        bytes: &bytes[first * inputs..][..floats.len() * inputs],
                        roundings: &roundings[first..][..floats.len()],
                        panel,
                        floats,
                    };
                    (stripe, task)
                })
            })
            .collect();
        tasks.sort_by_key(|(stripe, _)| *stripe);
        let instructions = Instructions::detect();
        share(context, tasks.into_iter(), matrix.len(), |(_, task)| {
            let panel = &matrix[task.panel * PANEL * inputs..][..PANEL * inputs];
            self.multiply(instructions, task, panel);
        })
    }
}

impl RoundedLinear {
    fn multiply(&self, instructions: Instructions, task: Task<'_>, panel: &[i8]) {
        let inputs = panel.len() / PANEL;
        let rows = task.floats.len();
        let piece = piece(rows);
        let columns = self.columns.panel(task.panel);
        let pieces = task
            .bytes
            .chunks(piece * inputs)
            .zip(task.roundings.chunks(piece))
            .zip(task.floats.chunks_mut(piece));
        let mut sums = [[0; PANEL]; ROWS];
        for ((bytes, roundings), floats) in pieces {
            instructions.multiply(bytes, inputs, panel, &mut sums);
            dequantize(&sums, roundings, (panel, columns), floats);
        }
    }
}
