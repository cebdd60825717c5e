//! What operators read and write: tensors and rounded matrices.
//!
//! Whatever an operator is given that does not fit is an error of the run, never a panic: a panic could not leave
//! ONNX Runtime's threads.

use ort::operator::{ComputeContext, KernelContext};
use ort::value::{PrimitiveTensorElementType, ValueRef, ValueRefMut};

use super::passes;
use super::rows::{ROUNDING, StoredRounding};

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

/// Where the rounded form of a block of rows goes.
pub struct RoundedBlock<'a> {
    bytes: &'a mut [u8],
    roundings: &'a mut [StoredRounding],
    width: usize,
}

impl RoundedBlock<'_> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.roundings.len()
    }

    /// Rounds rows of `floats`, which are the same afterwards.
    pub fn set(self, floats: &mut [f32]) {
        let rows = floats.chunks_exact_mut(self.width);
        let bytes = self.bytes.chunks_exact_mut(self.width);
        for ((row, bytes), rounding) in rows.zip(bytes).zip(self.roundings) {
            *rounding = passes::round(row, bytes).stored();
        }
    }
}

/// The two outputs of a rounded matrix: bytes, and the rounding of each row.
pub struct RoundedOutput<'a> {
    outputs: [Output<'a>; 2],
    width: usize,
}

impl<'a> RoundedOutput<'a> {
    /// Makes them, the first at `first`.
    pub fn of(
        context: &'a ComputeContext,
        first: usize,
        [rows, width]: [usize; 2],
    ) -> ort::Result<Self> {
        Ok(Self {
            outputs: [
                Output::of(context, first, &[rows, width])?,
                Output::of(context, first + 1, &[rows, ROUNDING])?,
            ],
            width,
        })
    }

    /// Its rows in blocks of [`BLOCK_ROWS`], to be written.
    pub fn blocks(&mut self) -> ort::Result<impl Iterator<Item = RoundedBlock<'_>>> {
        let [bytes, roundings] = &mut self.outputs;
        let width = self.width;
        let bytes = bytes.values::<u8>()?.chunks_mut(BLOCK_ROWS * width);
        let roundings = roundings.values::<f32>()?.as_chunks_mut().0;
        let blocks = bytes.zip(roundings.chunks_mut(BLOCK_ROWS));
        Ok(blocks.map(move |(bytes, roundings)| RoundedBlock {
            bytes,
            roundings,
            width,
        }))
    }
}
