//! The operators as ONNX Runtime sees them: names, inputs, outputs.
//!
//! A "rounded matrix" is three tensors: bytes `[rows, columns]`, scales `[rows]` and zeros `[rows]`. "Columns" are what
//! turns a product back into floats: scales, sums and biases, each `[columns]`.

use ort::operator::{
    BoxedKernel, ComputeContext, KernelContext, Operator, OperatorDomain, OperatorInput, OperatorOutput,
};
use ort::value::TensorElementType::{self, Float32, Int8, Int32, Int64, Uint8};

use super::ByteProducts;
use super::attention::{Head, Projected, attend};
use super::rows::{Columns, Rounding, add, dequantize, gelu, normalize, quantize, widen};
use super::tensors::{Input, Output, ensure, share};

/// Domain of the operators.
pub const DOMAIN: &str = "runpod.query";

/// Names of the operators.
pub mod name {
    /// Token ids to normalised rows: `ids, lengths, words, word scales, positions, scale, shift`; attributes `epsilon`
    /// and `padding_id` (-1: positions count from 0). Gives floats and a rounded matrix.
    pub const EMBED: &str = "EmbedTokens";
    /// Attention: `product, scales, zeros, columns (3), lengths`; attributes `heads` and `first_only` (1: only the
    /// first token of each text asks). Gives a rounded matrix.
    pub const ATTEND: &str = "AttendWithinTexts";
    /// Bias, residual and normalisation: `product, scales, zeros, columns (3), residual, scale, shift`; attribute
    /// `epsilon`. Gives floats and a rounded matrix.
    pub const ADD_NORMALIZE: &str = "AddNormalize";
    /// Bias and GELU: `product, scales, zeros, columns (3)`. Gives a rounded matrix.
    pub const GELU: &str = "BiasGeluRound";
    /// Mean of the rows of each text: `floats, lengths`.
    pub const MEAN: &str = "MeanOfTexts";
}

type Compute = fn(&ComputeContext, &Attributes) -> ort::Result<()>;

/// What the graph says of a node, and what the processor says of all.
struct Attributes {
    epsilon: f32,
    heads: usize,
    first_only: bool,
    padding_id: i64,
    levels: u8,
}

struct RowOperator {
    name: &'static str,
    inputs: &'static [TensorElementType],
    outputs: &'static [TensorElementType],
    compute: Compute,
    levels: u8,
}

impl Operator for RowOperator {
    type Kernel<'attr> = BoxedKernel<'attr>;

    fn name(&self) -> &str {
        self.name
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        self.inputs.iter().map(|&element| OperatorInput::required(element))
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        self.outputs.iter().map(|&element| OperatorOutput::required(element))
    }

    fn create_kernel<'attr>(&self, kernel: &KernelContext<'attr>) -> ort::Result<BoxedKernel<'attr>> {
        let attributes = Attributes {
            epsilon: kernel.get("epsilon").unwrap_or_default(),
            heads: kernel.get::<i64>("heads").unwrap_or(1) as usize,
            first_only: kernel.get::<i64>("first_only") == Some(1),
            padding_id: kernel.get("padding_id").unwrap_or(-1),
            levels: self.levels,
        };
        let compute = self.compute;
        Ok(Box::new(move |context: &ComputeContext| compute(context, &attributes)))
    }
}

const ROUNDED: [TensorElementType; 3] = [Uint8, Float32, Int32];

/// The operators, for a session that runs an int8 graph.
pub fn domain() -> ort::Result<OperatorDomain> {
    let levels = ByteProducts::detect().levels;
    let operator = |name, inputs, outputs, compute| RowOperator {
        name,
        inputs,
        outputs,
        compute,
        levels,
    };
    OperatorDomain::new(DOMAIN)?
        .add(operator(
            name::EMBED,
            &[Int64, Int64, Int8, Float32, Float32, Float32, Float32],
            &[Float32, Uint8, Float32, Int32],
            embed,
        ))?
        .add(operator(
            name::ATTEND,
            &[Int32, Float32, Int32, Float32, Int32, Float32, Int64],
            &ROUNDED,
            attend_within_texts,
        ))?
        .add(operator(
            name::ADD_NORMALIZE,
            &[Int32, Float32, Int32, Float32, Int32, Float32, Float32, Float32, Float32],
            &[Float32, Uint8, Float32, Int32],
            add_normalize,
        ))?
        .add(operator(
            name::GELU,
            &[Int32, Float32, Int32, Float32, Int32, Float32],
            &ROUNDED,
            bias_gelu_round,
        ))?
        .add(operator(name::MEAN, &[Float32, Int64], &[Float32], mean_of_texts))
}

/// The inputs that turn a product back into floats: product, scales, zeros and columns, in this order, from the first.
struct ProductInputs<'a> {
    inputs: [Input<'a>; 6],
}

impl<'a> ProductInputs<'a> {
    fn of(context: &'a ComputeContext) -> ort::Result<Self> {
        let input = |index| Input::of(context, index);
        Ok(Self {
            inputs: [input(0)?, input(1)?, input(2)?, input(3)?, input(4)?, input(5)?],
        })
    }

    fn view(&self) -> ort::Result<Product<'_>> {
        let [product, scales, zeros, scale, sum, bias] = &self.inputs;
        let view = Product {
            width: product.row_length::<i32>()?,
            numbers: product.values()?,
            scales: scales.values()?,
            zeros: zeros.values()?,
            columns: Columns {
                scale: scale.values()?,
                sum: sum.values()?,
                bias: bias.values()?,
            },
        };
        let rows = view.scales.len();
        let lengths = [view.columns.scale.len(), view.columns.sum.len(), view.columns.bias.len()];
        ensure(
            view.numbers.len() == rows * view.width && view.zeros.len() == rows && lengths == [view.width; 3],
            "a product does not fit its rounding",
        )?;
        Ok(view)
    }
}

struct Product<'a> {
    width: usize,
    numbers: &'a [i32],
    scales: &'a [f32],
    zeros: &'a [i32],
    columns: Columns<'a>,
}

impl Product<'_> {
    fn rounding(&self, row: usize) -> Rounding {
        Rounding {
            scale: self.scales[row],
            zero: self.zeros[row],
        }
    }

    fn row(&self, row: usize, floats: &mut [f32]) {
        let numbers = &self.numbers[row * self.width..(row + 1) * self.width];
        dequantize(numbers, self.rounding(row), self.columns, floats);
    }
}

/// Where the rounded form of a row goes.
struct RoundedRow<'a> {
    bytes: &'a mut [u8],
    scale: &'a mut f32,
    zero: &'a mut i32,
}

impl RoundedRow<'_> {
    fn set(self, floats: &[f32], levels: u8) {
        let rounding = quantize(floats, levels, self.bytes);
        *self.scale = rounding.scale;
        *self.zero = rounding.zero;
    }
}

/// The three outputs of a rounded matrix.
struct RoundedOutput<'a> {
    outputs: [Output<'a>; 3],
    width: usize,
}

impl<'a> RoundedOutput<'a> {
    fn of(context: &'a ComputeContext, first: usize, [rows, width]: [usize; 2]) -> ort::Result<Self> {
        Ok(Self {
            outputs: [
                Output::of(context, first, &[rows, width])?,
                Output::of(context, first + 1, &[rows])?,
                Output::of(context, first + 2, &[rows])?,
            ],
            width,
        })
    }

    fn rows(&mut self) -> ort::Result<impl Iterator<Item = RoundedRow<'_>>> {
        let [bytes, scales, zeros] = &mut self.outputs;
        let bytes = bytes.values::<u8>()?.chunks_exact_mut(self.width);
        let rows = bytes.zip(scales.values()?).zip(zeros.values()?);
        Ok(rows.map(|((bytes, scale), zero)| RoundedRow { bytes, scale, zero }))
    }
}

fn add_normalize(context: &ComputeContext, attributes: &Attributes) -> ort::Result<()> {
    let inputs = ProductInputs::of(context)?;
    let product = inputs.view()?;
    let [residual, scale, shift] = [6, 7, 8].map(|index| Input::of(context, index));
    let (residual, scale, shift) = (residual?, scale?, shift?);
    let (residual, scale, shift) = (residual.values::<f32>()?, scale.values()?, shift.values()?);
    let (rows, width) = (product.scales.len(), product.width);
    ensure(
        residual.len() == rows * width && scale.len() == width && shift.len() == width,
        "a residual does not fit its product",
    )?;
    let mut floats = Output::of(context, 0, &[rows, width])?;
    let mut rounded = RoundedOutput::of(context, 1, [rows, width])?;
    let tasks = floats
        .values::<f32>()?
        .chunks_exact_mut(width)
        .zip(residual.chunks_exact(width))
        .zip(rounded.rows()?)
        .enumerate()
        .collect();
    share(context, tasks, rows * width, |(index, ((row, residual), rounded))| {
        product.row(index, row);
        add(row, residual);
        normalize(row, scale, shift, attributes.epsilon);
        rounded.set(row, attributes.levels);
    })
}

fn bias_gelu_round(context: &ComputeContext, attributes: &Attributes) -> ort::Result<()> {
    let inputs = ProductInputs::of(context)?;
    let product = inputs.view()?;
    let (rows, width) = (product.scales.len(), product.width);
    let mut rounded = RoundedOutput::of(context, 0, [rows, width])?;
    let tasks = rounded.rows()?.enumerate().collect();
    // GELU costs several times what a row's other arithmetic does.
    share(context, tasks, 4 * rows * width, |(index, rounded)| {
        let mut row = vec![0.0; width];
        product.row(index, &mut row);
        gelu(&mut row);
        rounded.set(&row, attributes.levels);
    })
}

/// Lengths of texts as indices into their tokens: start and end of each.
fn spans(lengths: &[i64], tokens: usize) -> ort::Result<Vec<(usize, usize)>> {
    let mut spans = Vec::with_capacity(lengths.len());
    let mut start = 0;
    for &length in lengths {
        let end = usize::try_from(length).ok().filter(|&length| length > 0).map(|length| start + length);
        let end = end.ok_or_else(|| ort::Error::new("a text has no tokens"))?;
        spans.push((start, end));
        start = end;
    }
    ensure(start == tokens, "the lengths of the texts do not add up to their tokens")?;
    Ok(spans)
}

fn attend_within_texts(context: &ComputeContext, attributes: &Attributes) -> ort::Result<()> {
    let inputs = ProductInputs::of(context)?;
    let product = inputs.view()?;
    let lengths = Input::of(context, 6)?;
    let tokens = product.scales.len();
    let spans = spans(lengths.values()?, tokens)?;
    let hidden = product.width / 3;
    let size = hidden / attributes.heads.max(1);
    ensure(size > 0 && size * attributes.heads * 3 == product.width, "heads do not divide a projection")?;
    let queries = |&(start, end): &(usize, usize)| if attributes.first_only { 1 } else { end - start };
    let rows = spans.iter().map(queries).sum();
    let mut floats = vec![0.0; rows * hidden];
    let mut rest = floats.chunks_exact_mut(hidden);
    let mut tasks = Vec::with_capacity(spans.len() * attributes.heads);
    let mut scores = 0;
    for span in &spans {
        let own: Vec<&mut [f32]> = rest.by_ref().take(queries(span)).collect();
        scores += own.len() * (span.1 - span.0);
        tasks.extend(heads_of(*span, own, size));
    }
    let projected = Projected {
        product: product.numbers,
        scales: product.scales,
        zeros: product.zeros,
        columns: product.columns,
        hidden,
    };
    // Each score costs a product as long as a head, twice, in every head.
    share(context, tasks, tokens * hidden + scores * attributes.heads * 8, |head| attend(projected, head))?;
    let mut rounded = RoundedOutput::of(context, 0, [rows, hidden])?;
    let tasks = floats.chunks_exact(hidden).zip(rounded.rows()?).collect();
    share(context, tasks, rows * hidden, |(row, rounded)| rounded.set(row, attributes.levels))
}

/// The heads of one text, each with its columns of the text's rows.
fn heads_of((start, end): (usize, usize), rows: Vec<&mut [f32]>, size: usize) -> Vec<Head<'_>> {
    let heads = rows.first().map_or(0, |row| row.len() / size);
    let mut tasks: Vec<Head<'_>> = (0..heads)
        .map(|head| Head {
            start,
            tokens: end - start,
            column: head * size,
            context: Vec::with_capacity(rows.len()),
        })
        .collect();
    for row in rows {
        for (task, columns) in tasks.iter_mut().zip(row.chunks_exact_mut(size)) {
            task.context.push(columns);
        }
    }
    tasks
}

/// The row of the position table for each token.
fn positions(ids: &[i64], spans: &[(usize, usize)], padding_id: i64) -> Vec<i64> {
    let mut positions = Vec::with_capacity(ids.len());
    for &(start, end) in spans {
        let mut next = 0;
        for &id in &ids[start..end] {
            // XLM-RoBERTa counts from behind the padding id, and leaves a text's own padding tokens uncounted.
            if padding_id >= 0 && id == padding_id {
                positions.push(padding_id);
            } else {
                positions.push(next + padding_id + 1);
                next += 1;
            }
        }
    }
    positions
}

fn embed(context: &ComputeContext, attributes: &Attributes) -> ort::Result<()> {
    let inputs = (0..7).map(|index| Input::of(context, index)).collect::<ort::Result<Vec<_>>>()?;
    let ids = inputs[0].values::<i64>()?;
    let spans = spans(inputs[1].values()?, ids.len())?;
    let width = inputs[2].row_length::<i8>()?;
    let words = inputs[2].values::<i8>()?;
    let word_scales = inputs[3].values::<f32>()?;
    let table = inputs[4].values::<f32>()?;
    let (scale, shift) = (inputs[5].values()?, inputs[6].values()?);
    let positions = positions(ids, &spans, attributes.padding_id);
    let known = |index: i64, rows: usize| usize::try_from(index).is_ok_and(|index| index < rows);
    ensure(
        ids.iter().all(|&id| known(id, word_scales.len()))
            && positions.iter().all(|&position| known(position, table.len() / width.max(1))),
        "a token or its position is beyond its table",
    )?;
    let mut floats = Output::of(context, 0, &[ids.len(), width])?;
    let mut rounded = RoundedOutput::of(context, 1, [ids.len(), width])?;
    let rows = floats.values::<f32>()?.chunks_exact_mut(width);
    let tasks = rows.zip(rounded.rows()?).zip(ids.iter().zip(&positions)).collect();
    share(context, tasks, ids.len() * width, |((row, rounded), (&id, &position))| {
        let (id, position) = (id as usize, position as usize);
        widen(&words[id * width..(id + 1) * width], word_scales[id], row);
        add(row, &table[position * width..(position + 1) * width]);
        normalize(row, scale, shift, attributes.epsilon);
        rounded.set(row, attributes.levels);
    })
}

fn mean_of_texts(context: &ComputeContext, _: &Attributes) -> ort::Result<()> {
    let (floats, lengths) = (Input::of(context, 0)?, Input::of(context, 1)?);
    let width = floats.row_length::<f32>()?;
    let floats = floats.values::<f32>()?;
    let spans = spans(lengths.values()?, floats.len() / width.max(1))?;
    let mut means = Output::of(context, 0, &[spans.len(), width])?;
    for (mean, &(start, end)) in means.values::<f32>()?.chunks_exact_mut(width).zip(&spans) {
        mean.fill(0.0);
        for row in floats[start * width..end * width].chunks_exact(width) {
            add(mean, row);
        }
        let tokens = (end - start) as f32;
        mean.iter_mut().for_each(|value| *value /= tokens);
    }
    Ok(())
}
