//! What operators read and write: tensors, rounded matrices, products of them.
//!
//! Whatever an operator is given that does not fit is an error of the run, never a panic: a panic could not leave
//! ONNX Runtime's threads.

use std::sync::Mutex;

use ort::operator::{ComputeContext, KernelContext};
use ort::value::{PrimitiveTensorElementType, ValueRef, ValueRefMut};

use super::passes;
use super::rows::{Columns, Rounding, dequantize};

/// Below this many floats, waking another thread costs more than doing the work.
const WORTH_SHARING: usize = 32 * 1024;
/// Numbers that describe the rounding of a row: scale and zero.
const ROUNDING: usize = 2;

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

/// What turns the columns of a product back into floats, kept by the operator.
pub struct OwnedColumns {
    scale: Vec<f32>,
    sum: Vec<i32>,
    bias: Vec<f32>,
}

impl OwnedColumns {
    /// Scales, sums and biases, at three inputs from `first`.
    pub fn of(kernel: &KernelContext<'_>, first: usize) -> ort::Result<Self> {
        let columns = Self {
            scale: constant(kernel, first)?,
            sum: constant(kernel, first + 1)?,
            bias: constant(kernel, first + 2)?,
        };
        let width = columns.scale.len();
        ensure(
            width > 0 && columns.sum.len() == width && columns.bias.len() == width,
            "the columns of a product differ in number",
        )?;
        Ok(columns)
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.scale.len()
    }
}

/// The first two inputs of an operator that follows a product: its whole numbers, and the rounding of its rows.
pub struct ProductInputs<'a>([Input<'a>; 2]);

impl<'a> ProductInputs<'a> {
    /// Finds them.
    pub fn of(context: &'a ComputeContext) -> ort::Result<Self> {
        Ok(Self([Input::of(context, 0)?, Input::of(context, 1)?]))
    }

    /// The product, whose columns the operator knows.
    pub fn product<'b>(&'b self, columns: &'b OwnedColumns) -> ort::Result<Product<'b>> {
        let product = Product {
            numbers: self.0[0].values()?,
            rounding: self.0[1].values()?,
            columns,
        };
        let fits = product.numbers.len() == product.rows() * product.width();
        ensure(fits, "a product does not fit its rounding")?;
        Ok(product)
    }
}

/// A product of rounded numbers.
pub struct Product<'a> {
    numbers: &'a [i32],
    rounding: &'a [f32],
    columns: &'a OwnedColumns,
}

impl Product<'_> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rounding.len() / ROUNDING
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.columns.width()
    }

    /// Turns a row into floats.
    #[inline(always)]
    pub fn row(&self, row: usize, floats: &mut [f32]) {
        let (numbers, rounding, columns) = self.part(row, 0, self.width());
        dequantize(numbers, rounding, columns, floats);
    }

    /// Some columns of a row, with all that turns them into floats.
    #[inline(always)]
    pub fn part(
        &self,
        row: usize,
        column: usize,
        length: usize,
    ) -> (&[i32], Rounding, Columns<'_>) {
        let begin = row * self.width() + column;
        let rounding = Rounding {
            scale: self.rounding[row * ROUNDING],
            zero: self.rounding[row * ROUNDING + 1] as i32,
        };
        let columns = Columns {
            scale: &self.columns.scale,
            sum: &self.columns.sum,
            bias: &self.columns.bias,
        };
        (
            &self.numbers[begin..begin + length],
            rounding,
            columns.slice(column, length),
        )
    }
}

/// Where the rounded form of a row goes.
pub struct RoundedRow<'a> {
    bytes: &'a mut [u8],
    rounding: &'a mut [f32; ROUNDING],
}

impl RoundedRow<'_> {
    /// Rounds `floats` to `levels` steps.
    pub fn set(self, floats: &[f32], levels: u8) {
        let rounding = passes::round(floats, levels, self.bytes);
        *self.rounding = [rounding.scale, rounding.zero as f32];
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

    /// Its rows, to be written.
    pub fn rows(&mut self) -> ort::Result<impl Iterator<Item = RoundedRow<'_>>> {
        let [bytes, rounding] = &mut self.outputs;
        let bytes = bytes.values::<u8>()?.chunks_exact_mut(self.width);
        let rounding = rounding.values::<f32>()?.as_chunks_mut().0;
        Ok(bytes
            .zip(rounding)
            .map(|(bytes, rounding)| RoundedRow { bytes, rounding }))
    }
}

/// Does every task, on all of the session's threads where together they touch enough floats.
///
/// A task is taken out of its place by the thread that does it, so each is done exactly once.
pub fn share<T: Send>(
    context: &ComputeContext,
    tasks: impl Iterator<Item = T>,
    floats: usize,
    work: impl Fn(T) + Sync + Send,
) -> ort::Result<()> {
    if floats < WORTH_SHARING {
        tasks.for_each(work);
        return Ok(());
    }
    let places: Vec<Mutex<Option<T>>> = tasks.map(|task| Mutex::new(Some(task))).collect();
    context.par_for(places.len(), 0, |index| {
        let task = places[index].lock().ok().and_then(|mut place| place.take());
        if let Some(task) = task {
            work(task);
        }
    })
}
