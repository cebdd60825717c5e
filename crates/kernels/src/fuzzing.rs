//! What the fuzz target of the kernels calls, built only for it and for tests, which run the corpus that it has kept.

#[cfg(test)]
#[path = "../../../tests/support/corpus.rs"]
mod corpus;

use std::panic::{AssertUnwindSafe, catch_unwind};

use half::f16;

use crate::attention::{Head, attend};
use crate::gemm::panel_matrix::{PackedColumns, PanelMatrix};
use crate::gemm::{PANEL, ROWS, fp32, int8};
use crate::row_operations;
use crate::rows::{LANES, Normalization, QUANTIZATION_FLOATS, Strided};

/// Largest size in a call, above the sizes of panels, blocks and groups.
const LARGEST: usize = 140;
/// Most values of a slice.
const MOST_VALUES: usize = 8192;

/// A call of a kernel, whose sizes need not fit together: the first byte chooses the kernel, the next ones its sizes, and
/// those after them its values. It returns or panics, and every instruction set does the same.
pub fn kernels(call: &[u8]) {
    if call.is_empty() {
        return;
    }
    let mut call = Call { bytes: call, at: 0 };
    let kernel = match call.byte() % 8 {
        0 => multiply_floats,
        1 => multiply_bytes,
        2 => dequantize_sums,
        3 => read_panels,
        4 => attend_head,
        5 => quantize,
        6 => change_row,
        _ => multiply_blocks,
    };
    kernel(&mut call);
}

/// The bytes of a call; they begin again at their end.
struct Call<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Call<'_> {
    fn byte(&mut self) -> u8 {
        let byte = self.bytes[self.at % self.bytes.len()];
        self.at += 1;
        byte
    }

    fn size(&mut self) -> usize {
        usize::from(self.byte()) % LARGEST
    }

    /// A length that is often the one that fits.
    fn length(&mut self, fits: usize) -> usize {
        let length = match self.byte() {
            0..200 => fits,
            200..228 => fits.saturating_sub(self.size()),
            _ => fits + self.size(),
        };
        length.min(MOST_VALUES)
    }

    fn values<T>(&mut self, count: usize, value: fn(u8) -> T) -> Vec<T> {
        (0..count).map(|_| value(self.byte())).collect()
    }

    fn floats(&mut self, count: usize) -> Vec<f32> {
        self.values(count, |byte| match byte {
            255 => f32::NAN,
            254 => f32::INFINITY,
            253 => f32::NEG_INFINITY,
            252 => f32::MAX,
            251 => f32::MIN_POSITIVE,
            _ => (f32::from(byte) - 125.0) / 16.0,
        })
    }
}

/// What a call gives; nothing where it panics.
fn outcome<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

/// Fails unless all outcomes are the same.
fn check_same<T: PartialEq>(outcomes: impl IntoIterator<Item = T>) {
    let mut outcomes = outcomes.into_iter();
    let first = outcomes.next();
    assert!(outcomes.all(|outcome| Some(outcome) == first));
}

/// The bits of floats; all that are not a number are the same.
fn bits<'a>(floats: impl IntoIterator<Item = &'a f32>) -> Vec<u32> {
    let floats = floats.into_iter();
    floats
        .map(|float| if float.is_nan() { f32::NAN } else { *float }.to_bits())
        .collect()
}

fn multiply_floats(call: &mut Call<'_>) {
    let (rows, inputs) = (call.size() % (2 * ROWS + 2), call.size());
    let stride = call.length(inputs);
    let length = call.length(rows * stride);
    let floats = call.floats(length);
    let length = call.length(inputs * PANEL);
    let panel = call.floats(length);
    let bias: [f32; PANEL] = call.floats(PANEL).try_into().unwrap();
    let halves: Vec<f16> = panel.iter().copied().map(f16::from_f32).collect();
    let activations = Strided {
        floats: &floats,
        stride,
    };
    check_products(activations, rows, &panel, &bias);
    check_products(activations, rows, &halves, &bias);
}

fn check_products<W: fp32::Weight>(
    activations: Strided<'_>,
    rows: usize,
    panel: &[W],
    bias: &[f32; PANEL],
) {
    let multiply = |instructions: fp32::InstructionSet| {
        let mut products = vec![[0.0_f32; PANEL]; rows];
        outcome(|| instructions.multiply(activations, panel, bias, &mut products))?;
        Some(bits(products.as_flattened()))
    };
    let (fused, others): (Vec<_>, Vec<_>) = fp32::InstructionSet::available()
        .into_iter()
        .partition(|instructions| instructions.is_fused());
    let fused: Vec<_> = fused.into_iter().map(multiply).collect();
    let others = others.into_iter().map(multiply);
    check_same(
        fused
            .iter()
            .map(Option::is_some)
            .chain(others.map(|other| other.is_some())),
    );
    check_same(fused);
}

fn multiply_bytes(call: &mut Call<'_>) {
    let (rows, inputs) = (call.size() % (ROWS + 2), call.size() / 4 * int8::GROUP);
    let length = call.length(rows * inputs);
    let bytes = call.values(length, |byte| byte);
    let length = call.length(inputs * PANEL);
    let panel = call.values(length, |byte| byte as i8);
    let column_sums = int8::column_sums(&panel);
    let sets = int8::InstructionSet::available();
    check_same(sets.into_iter().map(|instructions| {
        let mut sums = [[0; PANEL]; ROWS];
        outcome(|| instructions.multiply(&bytes, &panel, &column_sums, &mut sums))?;
        Some(sums)
    }));
}

fn dequantize_sums(call: &mut Call<'_>) {
    let (rows, inputs) = (call.size() % (ROWS + 2), call.size() * int8::GROUP);
    let width = call.size();
    let length = call.length(inputs * PANEL);
    let panel = call.values(length, |byte| byte as i8);
    let scale = call.floats(width);
    let length = call.length(width);
    let sum = call.values(length, |byte| i32::from(byte) << 23);
    let Some(columns) = PackedColumns::new(&scale, &sum, &scale) else {
        return;
    };
    let sums: Vec<[i32; PANEL]> = vec![[i32::from(call.byte()) << 24; PANEL]; rows];
    let length = call.length(rows);
    let quantizations = call.floats(length * QUANTIZATION_FLOATS);
    let mut floats = vec![[0.0; PANEL]; call.length(rows)];
    let index = call.size() % 6;
    outcome(|| {
        let columns = columns.panel(index);
        let quantizations = quantizations.as_chunks().0;
        row_operations::dequantize_sums(&sums, quantizations, (&panel, columns), &mut floats);
    });
}

/// Rows and columns of a matrix in panels, which other threads may have written.
fn read_panels(call: &mut Call<'_>) {
    let (rows, width) = (call.size(), call.size());
    let length = call.length(width.div_ceil(PANEL) * rows * PANEL);
    let floats = call.floats(length);
    let Some(matrix) = PanelMatrix::new(&floats, width) else {
        return;
    };
    let (first, count) = (call.size(), call.length(rows));
    let columns = call.size()..call.length(width);
    let mut whole = vec![0.0; count.min(LARGEST) * width];
    if outcome(|| matrix.copy_rows(first, &mut whole)).is_none() {
        return;
    }
    let mut part = vec![0.0; count.min(LARGEST) * columns.len()];
    if columns.is_empty()
        || outcome(|| matrix.copy_columns(first, columns.clone(), &mut part)).is_none()
    {
        return;
    }
    let expected = whole
        .chunks_exact(width)
        .flat_map(|row| &row[columns.clone()]);
    assert_eq!(bits(&part), bits(expected));
}

fn attend_head(call: &mut Call<'_>) {
    let (tokens, heads, size) = (call.size(), 1 + call.size() % 4, call.size() % 40);
    let width = call.length(heads * size * 3);
    let length = call.length(width.div_ceil(PANEL) * tokens * PANEL);
    let floats = call.floats(length);
    let Some(projected) = PanelMatrix::new(&floats, width) else {
        return;
    };
    let (start, column) = (call.size(), call.size());
    let mut rows: Vec<Vec<f32>> = (0..call.length(tokens).min(LARGEST))
        .map(|_| vec![0.0; size])
        .collect();
    if let Some(last) = rows.last_mut() {
        last.resize(call.length(size), 0.0);
    }
    let head = Head {
        start: start % (tokens + 1),
        tokens: call.length(tokens - start % (tokens + 1)),
        column: column % (heads * size + 1),
        context: rows.iter_mut().map(Vec::as_mut_slice).collect(),
    };
    outcome(|| attend(&projected, head));
}

fn quantize(call: &mut Call<'_>) {
    let length = call.size();
    let mut row = call.floats(length);
    let before = row.clone();
    let mut bytes = vec![0; call.length(length)];
    let quantized = outcome(|| row_operations::quantize(&mut row, &mut bytes));
    if quantized.is_some() {
        assert_eq!(bits(&row), bits(&before), "the row has changed");
    }
}

/// Operations on one row, whose other slices may be shorter or longer.
fn change_row(call: &mut Call<'_>) {
    let length = call.size();
    let mut row = call.floats(length);
    let [residual, scale, shift] = [0; 3].map(|_| {
        let length = call.length(length);
        call.floats(length)
    });
    let normalization = Normalization {
        scale: &scale,
        shift: &shift,
        epsilon: 1e-12,
    };
    outcome(|| row_operations::add_layer_normalization(&residual, normalization, &mut row));
    outcome(|| row_operations::gelu(&mut row));
    outcome(|| row_operations::l2_normalize(&mut row));
    let (width, columns) = (call.length(length), call.length(length));
    outcome(|| row_operations::softmax(&mut row, width, columns));
    let bytes = call.values(columns, |byte| byte as i8);
    outcome(|| row_operations::dequantize_row(&bytes, 0.5, &mut row));
}

fn multiply_blocks(call: &mut Call<'_>) {
    let (rows, inner, columns) = (call.size() % 20, call.size(), call.size() % 4);
    let stride = call.length(inner);
    let length = call.length(rows * stride);
    let floats = call.floats(length);
    let length = call.length(columns * inner).min(MOST_VALUES / LANES);
    let blocks = call.floats(length * LANES);
    let mut product = vec![0.0; call.length(rows * columns * LANES)];
    let left = Strided {
        floats: &floats,
        stride,
    };
    outcome(|| row_operations::multiply(left, rows, inner, blocks.as_chunks().0, &mut product));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_of_calls_breaks_no_promise() {
        corpus::run(
            concat!(env!("CARGO_MANIFEST_DIR"), "/../.."),
            "kernels",
            kernels,
        );
    }
}
