//! Selection of rows of each sequence.

use ort::operator::{ComputeContext, Kernel, KernelContext};
use ort::value::TensorElementType::{Float32, Int64};

use super::sequences::{counts, spans};
use super::tensors::{Input, Output, ensure};
use super::{Definition, Tensors, attribute, name};

/// See [`name::SELECT_ROWS`].
pub struct SelectRows {
    skip: usize,
}

impl Definition for SelectRows {
    const NAME: &str = name::SELECT_ROWS;
    const INPUTS: Tensors = &[Float32, Int64, Int64];
    const OUTPUTS: Tensors = &[Float32];

    fn new(kernel: &KernelContext<'_>) -> ort::Result<Self> {
        let skip = usize::try_from(attribute::<i64>(kernel, "skip")?);
        let skip = skip.map_err(|_| ort::Error::new("attribute skip is negative"))?;
        Ok(Self { skip })
    }
}

impl Kernel for SelectRows {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let floats = Input::of(context, 0)?;
        let (lengths, selected) = (Input::of(context, 1)?, Input::of(context, 2)?);
        let (floats, width) = floats.rows::<f32>()?;
        ensure(width > 0, "rows without columns cannot be selected")?;
        let spans = spans(lengths.values()?, floats.len() / width)?;
        let counts = counts(selected.values()?, &spans)?;
        let ranges = spans.iter().zip(counts);
        let ranges = ranges.map(|(&(start, _), count)| start + self.skip.min(count)..start + count);
        let rows = ranges.clone().map(|range| range.len()).sum();
        let mut output = Output::of(context, 0, &[rows, width])?;
        let mut rest = output.values::<f32>()?;
        for range in ranges {
            let from = &floats[range.start * width..range.end * width];
            let (to, after) = rest.split_at_mut(from.len());
            to.copy_from_slice(from);
            rest = after;
        }
        Ok(())
    }
}
