//! What operators read and write: tensors, and rows in the form that the next matrix multiplication takes.
//!
//! Inputs that do not fit are an error of the run, never a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use ort::operator::{ComputeContext, KernelContext};
use ort::value::{PrimitiveTensorElementType, TensorElementType, ValueRef, ValueRefMut};

use kernels::gemm::panel_matrix::PanelMatrix;
use kernels::row_operations;
use kernels::rows::{QUANTIZATION_FLOATS, StoredQuantization};
use kernels::threads::{Threads, parallel_for_each, with_scratch};

/// The threads of the session that runs an operator.
pub struct Session<'a>(pub &'a ComputeContext);

impl Threads for Session<'_> {
    type Error = ort::Error;

    fn parallel_for(&self, tasks: usize, work: impl Fn(usize) + Sync + Send) -> ort::Result<()> {
        let panicked = AtomicBool::new(false);
        // A panic that left the callback would abort the process.
        self.0.par_for(tasks, tasks, |task| {
            if catch_unwind(AssertUnwindSafe(|| work(task))).is_err() {
                panicked.store(true, Ordering::Relaxed);
            }
        })?;
        ensure(!panicked.into_inner(), super::PANICKED)
    }
}

/// The panels in an input, as a matrix with `width` columns.
pub fn panels<'a>(input: &'a Input<'_>, width: usize) -> ort::Result<PanelMatrix<'a>> {
    PanelMatrix::new(input.values()?, width)
        .ok_or_else(|| ort::Error::new("panels do not have their columns"))
}

/// One tensor that an operator is given.
pub struct Input<'a>(ValueRef<'a>);

impl<'a> Input<'a> {
    /// The input at `index`.
    pub fn of(context: &'a ComputeContext, index: usize) -> ort::Result<Self> {
        let value = context.input(index)?;
        value
            .map(Self)
            .ok_or_else(|| ort::Error::new(format!("input {index} is missing")))
    }

    /// Its values, row after row.
    pub fn values<T: PrimitiveTensorElementType>(&self) -> ort::Result<&[T]> {
        Ok(self.0.try_extract_tensor::<T>()?.1)
    }

    /// The length of its rows; 1 for a scalar.
    pub fn width(&self) -> usize {
        self.0.shape().last().copied().unwrap_or(1) as usize
    }

    /// Its values, and the length of its rows; 1 for a scalar.
    pub fn rows<T: PrimitiveTensorElementType>(&self) -> ort::Result<(&[T], usize)> {
        Ok((self.values()?, self.width()))
    }
}

/// A copy of a constant input. Reading it once saves asking ONNX Runtime for it in every run.
pub fn constant<T: PrimitiveTensorElementType + Clone>(
    kernel: &KernelContext<'_>,
    index: usize,
) -> ort::Result<Vec<T>> {
    let value = kernel.constant_input::<ort::value::DynTensorValueType>(index)?;
    Ok(value.try_extract_tensor::<T>()?.1.to_vec())
}

/// One tensor that an operator gives.
pub struct Output<'a>(ValueRefMut<'a>);

impl<'a> Output<'a> {
    /// The output at `index`, of the given sizes.
    pub fn of(context: &'a ComputeContext, index: usize, sizes: &[usize]) -> ort::Result<Self> {
        let sizes: Vec<i64> = sizes.iter().map(|&size| size as i64).collect();
        let value = context.output(index, sizes)?;
        value
            .map(Self)
            .ok_or_else(|| ort::Error::new(format!("output {index} is missing")))
    }

    /// Its values, to be written.
    pub fn values<T: PrimitiveTensorElementType>(&mut self) -> ort::Result<&mut [T]> {
        Ok(self.0.try_extract_tensor_mut::<T>()?.1)
    }
}

/// Refuses sizes that do not fit together.
pub fn ensure(fits: bool, what: &str) -> ort::Result<()> {
    if fits {
        Ok(())
    } else {
        Err(ort::Error::new(what))
    }
}

/// Rows that one task takes: panels are read a few rows at a time.
pub const BLOCK_ROWS: usize = 4;

/// Rows that an operator gives: as floats, quantized, or both.
pub struct RowsOutput<'a> {
    floats: Option<Output<'a>>,
    quantized: Option<[Output<'a>; 2]>,
    rows: usize,
    width: usize,
}

/// The part of an output that holds some rows.
pub struct RowsBlock<'a> {
    floats: Option<&'a mut [f32]>,
    quantized: Option<(&'a mut [u8], &'a mut [StoredQuantization])>,
    rows: usize,
    width: usize,
}

impl<'a> RowsOutput<'a> {
    /// Rows of a [`Definition`](super::Definition) with these outputs: floats, if there are any, come first.
    pub fn of(
        context: &'a ComputeContext,
        outputs: &[TensorElementType],
        [rows, width]: [usize; 2],
    ) -> ort::Result<Self> {
        let floats = match outputs.first() {
            Some(TensorElementType::Float32) => Some(Output::of(context, 0, &[rows, width])?),
            _ => None,
        };
        let first = usize::from(floats.is_some());
        let quantized = match outputs.get(first) {
            Some(_) => Some([
                Output::of(context, first, &[rows, width])?,
                Output::of(context, first + 1, &[rows, QUANTIZATION_FLOATS])?,
            ]),
            None => None,
        };
        Ok(Self {
            floats,
            quantized,
            rows,
            width,
        })
    }

    /// The rows in blocks of [`BLOCK_ROWS`], to be written.
    pub fn blocks(&mut self) -> ort::Result<Vec<RowsBlock<'_>>> {
        let (rows, width) = (self.rows, self.width);
        let mut floats = match &mut self.floats {
            Some(floats) => Some(floats.values::<f32>()?.chunks_mut(BLOCK_ROWS * width)),
            None => None,
        };
        let mut quantized = match &mut self.quantized {
            Some([bytes, quantizations]) => {
                let bytes = bytes.values::<u8>()?.chunks_mut(BLOCK_ROWS * width);
                let quantizations = quantizations.values::<f32>()?.as_chunks_mut().0;
                Some(bytes.zip(quantizations.chunks_mut(BLOCK_ROWS)))
            }
            None => None,
        };
        let block = |first| RowsBlock {
            floats: floats.as_mut().and_then(Iterator::next),
            quantized: quantized.as_mut().and_then(Iterator::next),
            rows: BLOCK_ROWS.min(rows - first),
            width,
        };
        Ok((0..rows).step_by(BLOCK_ROWS).map(block).collect())
    }
}

impl RowsBlock<'_> {
    /// Lets `work` write the rows, contiguously, and quantizes them if the operator gives quantized rows.
    pub fn write(self, work: impl FnOnce(&mut [f32])) {
        let (quantized, width) = (self.quantized, self.width);
        let write = |floats: &mut [f32]| {
            work(floats);
            if let Some((bytes, quantizations)) = quantized {
                quantize(floats, width, bytes, quantizations);
            }
        };
        match self.floats {
            Some(floats) => write(floats),
            None => with_scratch(self.rows * width, write),
        }
    }
}

/// Gives the rows of panels, each changed by `operation`. `cost` is that of a float, compared with copying it.
pub fn change_rows(
    context: &ComputeContext,
    outputs: &[TensorElementType],
    product: &PanelMatrix<'_>,
    (operation, cost): (fn(&mut [f32]), usize),
) -> ort::Result<()> {
    let (rows, width) = (product.rows(), product.width());
    let mut output = RowsOutput::of(context, outputs, [rows, width])?;
    let tasks = output.blocks()?.into_iter().enumerate();
    let cost = cost * rows * width;
    parallel_for_each(&Session(context), tasks, cost, |(index, block)| {
        block.write(|floats| {
            product.copy_rows(index * BLOCK_ROWS, floats);
            floats.chunks_exact_mut(width).for_each(operation);
        });
    })
}

/// Quantizes rows of `floats`, which are the same afterwards.
fn quantize(
    floats: &mut [f32],
    width: usize,
    bytes: &mut [u8],
    quantizations: &mut [StoredQuantization],
) {
    let rows = floats.chunks_exact_mut(width);
    let bytes = bytes.chunks_exact_mut(width);
    for ((row, bytes), quantization) in rows.zip(bytes).zip(quantizations) {
        *quantization = row_operations::quantize(row, bytes).stored();
    }
}
