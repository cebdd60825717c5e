//! What operators read and write: tensors, and rows in the form that the next product wants.
//!
//! Whatever an operator is given that does not fit is an error of the run, never a panic: a panic could not leave
//! ONNX Runtime's threads.

use ort::operator::{ComputeContext, KernelContext};
use ort::value::{PrimitiveTensorElementType, TensorElementType, ValueRef, ValueRefMut};

use kernels::panels::Product;
use kernels::passes;
use kernels::rows::{ROUNDING, StoredRounding};
use kernels::sharing::{Threads, with_scratch};

/// The threads of the session that runs an operator.
pub struct Session<'a>(pub &'a ComputeContext);

impl Threads for Session<'_> {
    type Error = ort::Error;

    fn parallel_for(&self, tasks: usize, work: impl Fn(usize) + Sync + Send) -> ort::Result<()> {
        self.0.par_for(tasks, tasks, work)
    }
}

/// The product in an input, of which `width` columns count.
pub fn multiplied<'a>(input: &'a Input<'_>, width: usize) -> ort::Result<Product<'a>> {
    Product::new(input.values()?, width)
        .ok_or_else(|| ort::Error::new("a product does not have its columns"))
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

    /// Its values, and the length of its rows; 1 for a number alone.
    pub fn rows<T: PrimitiveTensorElementType>(&self) -> ort::Result<(&[T], usize)> {
        let (shape, values) = self.0.try_extract_tensor::<T>()?;
        Ok((values, shape.last().copied().unwrap_or(1) as usize))
    }
}

/// A copy of a tensor that never changes. Reading it once saves asking ONNX Runtime for it in every run.
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
            .ok_or_else(|| ort::Error::new(format!("output {index} is not wanted")))
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

/// Rows that one task takes: what lies in panels is read a few rows at a time.
pub const BLOCK_ROWS: usize = 4;

/// Rows that an operator gives: as floats, rounded, or both.
pub struct RowsOutput<'a> {
    floats: Option<Output<'a>>,
    rounded: Option<[Output<'a>; 2]>,
    rows: usize,
    width: usize,
}

/// Where some rows go.
pub struct RowsBlock<'a> {
    floats: Option<&'a mut [f32]>,
    rounded: Option<(&'a mut [u8], &'a mut [StoredRounding])>,
    rows: usize,
    width: usize,
}

impl<'a> RowsOutput<'a> {
    /// Rows as the outputs of a [`Definition`](super) say: floats, if they are wanted, come first.
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
        let rounded = match outputs.get(first) {
            Some(_) => Some([
                Output::of(context, first, &[rows, width])?,
                Output::of(context, first + 1, &[rows, ROUNDING])?,
            ]),
            None => None,
        };
        Ok(Self {
            floats,
            rounded,
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
        let mut rounded = match &mut self.rounded {
            Some([bytes, roundings]) => {
                let bytes = bytes.values::<u8>()?.chunks_mut(BLOCK_ROWS * width);
                let roundings = roundings.values::<f32>()?.as_chunks_mut().0;
                Some(bytes.zip(roundings.chunks_mut(BLOCK_ROWS)))
            }
            None => None,
        };
        let block = |first| RowsBlock {
            floats: floats.as_mut().and_then(Iterator::next),
            rounded: rounded.as_mut().and_then(Iterator::next),
            rows: BLOCK_ROWS.min(rows - first),
            width,
        };
        Ok((0..rows).step_by(BLOCK_ROWS).map(block).collect())
    }
}

impl RowsBlock<'_> {
    /// Lets `work` write the rows, one behind the other, and rounds them where that is wanted.
    pub fn write(self, work: impl FnOnce(&mut [f32])) {
        let (rounded, width) = (self.rounded, self.width);
        let write = |floats: &mut [f32]| {
            work(floats);
            if let Some((bytes, roundings)) = rounded {
                round(floats, width, bytes, roundings);
            }
        };
        match self.floats {
            Some(floats) => write(floats),
            None => with_scratch(self.rows * width, write),
        }
    }
}

/// Rounds rows of `floats`, which are the same afterwards.
fn round(floats: &mut [f32], width: usize, bytes: &mut [u8], roundings: &mut [StoredRounding]) {
    let rows = floats.chunks_exact_mut(width);
    let bytes = bytes.chunks_exact_mut(width);
    for ((row, bytes), rounding) in rows.zip(bytes).zip(roundings) {
        *rounding = passes::round(row, bytes).stored();
    }
}
