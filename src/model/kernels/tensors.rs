//! Reading inputs, making outputs, and sharing rows among the session's threads.
//!
//! Whatever an operator is given that does not fit is an error of the run, never a panic: a panic could not leave
//! ONNX Runtime's threads.

use std::sync::Mutex;

use ort::operator::ComputeContext;
use ort::value::{PrimitiveTensorElementType, ValueRef, ValueRefMut};

/// Below this many floats, waking another thread costs more than doing the work.
const WORTH_SHARING: usize = 32 * 1024;

/// One tensor that an operator is given.
pub struct Input<'a>(ValueRef<'a>);

impl<'a> Input<'a> {
    /// The input at `index`.
    pub fn of(context: &'a ComputeContext, index: usize) -> ort::Result<Self> {
        context
            .input(index)?
            .map(Self)
            .ok_or_else(|| ort::Error::new(format!("input {index} is missing")))
    }

    /// Its values, row after row.
    pub fn values<T: PrimitiveTensorElementType>(&self) -> ort::Result<&[T]> {
        Ok(self.0.try_extract_tensor::<T>()?.1)
    }

    /// Its last size, which is the length of its rows; 1 for a number alone.
    pub fn row_length<T: PrimitiveTensorElementType>(&self) -> ort::Result<usize> {
        Ok(self.0.try_extract_tensor::<T>()?.0.last().copied().unwrap_or(1) as usize)
    }
}

/// One tensor that an operator gives.
pub struct Output<'a>(ValueRefMut<'a>);

impl<'a> Output<'a> {
    /// The output at `index`, of the given sizes.
    pub fn of(context: &'a ComputeContext, index: usize, sizes: &[usize]) -> ort::Result<Self> {
        let sizes: Vec<i64> = sizes.iter().map(|&size| size as i64).collect();
        context
            .output(index, sizes)?
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
    if fits { Ok(()) } else { Err(ort::Error::new(what)) }
}

/// Does every task, on all of the session's threads where together they touch enough floats.
///
/// A task is taken out of its place by the thread that does it, so each is done exactly once.
pub fn share<T: Send>(
    context: &ComputeContext,
    tasks: Vec<T>,
    floats: usize,
    work: impl Fn(T) + Sync + Send,
) -> ort::Result<()> {
    if floats < WORTH_SHARING || tasks.len() < 2 {
        tasks.into_iter().for_each(work);
        return Ok(());
    }
    let places: Vec<Mutex<Option<T>>> = tasks.into_iter().map(|task| Mutex::new(Some(task))).collect();
    context.par_for(places.len(), 0, |index| {
        let task = places[index].lock().ok().and_then(|mut place| place.take());
        if let Some(task) = task {
            work(task);
        }
    })
}
