//! The output of a GEMM: a matrix of floats stored panel by panel, as its weights are.
//!
//! Threads that share a GEMM take whole panels, so each writes to memory of its own.

use std::ops::Range;

use crate::gemm::{PANEL, panel_count};
use crate::rows::ColumnParameters;

/// Parameters of all columns of a quantized matrix, padded and cut into panels.
pub struct PackedColumns(Vec<PackedPanel>);

struct PackedPanel {
    scale: [f32; PANEL],
    sum: [i32; PANEL],
    bias: [f32; PANEL],
}

impl PackedColumns {
    /// Packs scales, sums and biases; `None` if their lengths differ or are 0.
    pub fn new(scale: &[f32], sum: &[i32], bias: &[f32]) -> Option<Self> {
        let width = scale.len();
        if width == 0 || sum.len() != width || bias.len() != width {
            return None;
        }
        let panels = (0..width).step_by(PANEL).map(|start| PackedPanel {
            scale: padded(&scale[start..]),
            sum: padded(&sum[start..]),
            bias: padded(&bias[start..]),
        });
        Some(Self(panels.collect()))
    }

    /// Number of panels.
    pub fn panels(&self) -> usize {
        self.0.len()
    }

    /// The columns of a panel.
    ///
    /// # Panics
    /// If there is no such panel.
    pub fn panel(&self, panel: usize) -> ColumnParameters<'_> {
        let PackedPanel { scale, sum, bias } = &self.0[panel];
        ColumnParameters { scale, sum, bias }
    }
}

/// Biases, padded and cut into panels.
pub fn pack_biases(biases: &[f32]) -> Vec<[f32; PANEL]> {
    biases.chunks(PANEL).map(padded).collect()
}

/// The first values, and zeros where there are none.
fn padded<T: Copy + Default>(values: &[T]) -> [T; PANEL] {
    std::array::from_fn(|column| values.get(column).copied().unwrap_or_default())
}

/// Cuts `rows` into ranges of `stripe` rows; the last may be shorter.
pub fn row_stripes(rows: usize, stripe: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows)
        .step_by(stripe)
        .map(move |first| first..rows.min(first + stripe))
}

/// A stripe of a matrix with `rows` rows, panel by panel. Without rows there are no panels.
pub fn stripe_panels(
    matrix: &mut [[f32; PANEL]],
    rows: usize,
    stripe: Range<usize>,
) -> impl Iterator<Item = &mut [[f32; PANEL]]> {
    matrix
        .chunks_exact_mut(rows.max(1))
        .map(move |panel| &mut panel[stripe.clone()])
}

/// A matrix of floats, panel by panel: each holds [`PANEL`] columns of all rows.
pub struct PanelMatrix<'a> {
    panels: &'a [[f32; PANEL]],
    rows: usize,
    width: usize,
}

impl<'a> PanelMatrix<'a> {
    /// Shape of the tensor that holds one.
    pub fn shape(panels: usize, rows: usize) -> [usize; 3] {
        [panels, rows, PANEL]
    }

    /// The matrix in `floats`, with `width` columns without the padding; `None` if the length fits no number of rows or
    /// `width` is 0.
    pub fn new(floats: &'a [f32], width: usize) -> Option<Self> {
        let (panels, rest) = floats.as_chunks();
        let count = panel_count(width);
        let fits = count > 0 && rest.is_empty() && panels.len().is_multiple_of(count);
        fits.then(|| Self {
            panels,
            rows: panels.len() / count,
            width,
        })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Panics if there are no `count` rows from `first` on.
    fn check_rows(&self, first: usize, count: usize) {
        let rows = self.rows.checked_sub(first);
        assert!(rows >= Some(count), "the matrix has fewer rows");
    }

    /// Copies whole rows from `first` on, as many as `floats` has room for.
    ///
    /// Neighbouring rows are read together, because a single row is a small piece of every panel.
    ///
    /// # Panics
    /// If the matrix has fewer rows.
    pub fn copy_rows(&self, first: usize, floats: &mut [f32]) {
        let count = floats.len() / self.width;
        self.check_rows(first, count);
        for (panel, rows) in self.panels.chunks_exact(self.rows.max(1)).enumerate() {
            let start = panel * PANEL;
            let end = self.width.min(start + PANEL);
            for (row, floats) in rows[first..first + count]
                .iter()
                .zip(floats.chunks_exact_mut(self.width))
            {
                copy(&row[..end - start], &mut floats[start..end]);
            }
        }
    }

    /// Copies some columns of the rows from `first` on, as many as `floats` has room for.
    ///
    /// # Panics
    /// If the matrix has fewer rows or columns.
    pub fn copy_columns(&self, first: usize, columns: Range<usize>, floats: &mut [f32]) {
        if columns.is_empty() {
            return;
        }
        // The padding of the last panel is none of the matrix's columns.
        assert!(columns.end <= self.width, "the matrix has fewer columns");
        self.check_rows(first, floats.len() / columns.len());
        let mut start = columns.start;
        while start < columns.end {
            let panel = start / PANEL;
            let end = columns.end.min((panel + 1) * PANEL);
            let rows = &self.panels[panel * self.rows..][..self.rows];
            let part = start - columns.start..end - columns.start;
            for (row, floats) in rows[first..]
                .iter()
                .zip(floats.chunks_exact_mut(columns.len()))
            {
                copy(
                    &row[start % PANEL..][..end - start],
                    &mut floats[part.clone()],
                );
            }
            start = end;
        }
    }
}

/// A whole panel's width, the usual case, is copied without a call.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    match (from.as_array::<PANEL>(), to.as_mut_array::<PANEL>()) {
        (Some(from), Some(to)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}
