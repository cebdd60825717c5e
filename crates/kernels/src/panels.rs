//! Products as they lie in memory: panel by panel of columns, as their matrix does, so that threads that share a product
//! write to memory of their own.

use std::ops::Range;

use crate::product::{PANEL, panels};
use crate::rows::Columns;

/// What turns the columns of a product of bytes into floats, kept by the operator, panel by panel.
pub struct OwnedColumns(Vec<OwnedPanel>);

struct OwnedPanel {
    scale: [f32; PANEL],
    sum: [i32; PANEL],
    bias: [f32; PANEL],
}

impl OwnedColumns {
    /// Scales, sums and biases; nothing if they differ in number or there are none.
    pub fn new(scale: &[f32], sum: &[i32], bias: &[f32]) -> Option<Self> {
        let width = scale.len();
        if width == 0 || sum.len() != width || bias.len() != width {
            return None;
        }
        let panels = (0..width).step_by(PANEL).map(|start| OwnedPanel {
            scale: filled_up(&scale[start..]),
            sum: filled_up(&sum[start..]),
            bias: filled_up(&bias[start..]),
        });
        Some(Self(panels.collect()))
    }

    /// Number of panels.
    pub fn panels(&self) -> usize {
        self.0.len()
    }

    /// The columns of a panel.
    pub fn panel(&self, panel: usize) -> Columns<'_> {
        let OwnedPanel { scale, sum, bias } = &self.0[panel];
        Columns { scale, sum, bias }
    }
}

/// What is added to the columns of a product of floats, kept by the operator, panel by panel.
pub fn owned_biases(biases: &[f32]) -> Vec<[f32; PANEL]> {
    biases.chunks(PANEL).map(filled_up).collect()
}

/// The first values, and zeros where there are none.
fn filled_up<T: Copy + Default>(values: &[T]) -> [T; PANEL] {
    std::array::from_fn(|column| values.get(column).copied().unwrap_or_default())
}

/// The ranges that `rows` are cut into, `stripe` each but for the last.
pub fn stripes(rows: usize, stripe: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows)
        .step_by(stripe)
        .map(move |first| first..rows.min(first + stripe))
}

/// Some of the `rows` of a product, panel by panel.
pub fn stripe_of(
    product: &mut [[f32; PANEL]],
    rows: usize,
    stripe: Range<usize>,
) -> impl Iterator<Item = &mut [[f32; PANEL]]> {
    product
        .chunks_exact_mut(rows)
        .map(move |products| &mut products[stripe.clone()])
}

/// A product as floats: for each panel of columns, all rows.
pub struct Product<'a> {
    panels: &'a [[f32; PANEL]],
    rows: usize,
    width: usize,
}

impl<'a> Product<'a> {
    /// Sizes of the tensor that holds a product.
    pub fn sizes(panels: usize, rows: usize) -> [usize; 3] {
        [panels, rows, PANEL]
    }

    /// The product in `floats`, of which `width` columns count; nothing if it does not have them.
    pub fn new(floats: &'a [f32], width: usize) -> Option<Self> {
        let floats = floats.as_chunks().0;
        let rows = floats.len() / panels(width).max(1);
        let fits = floats.len() == rows * panels(width);
        fits.then_some(Self {
            panels: floats,
            rows,
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

    /// Copies whole rows from `first` on, as many as `floats` has room for.
    ///
    /// Rows that lie together are read together: a row alone is a little of every panel.
    pub fn copy_rows(&self, first: usize, floats: &mut [f32]) {
        let count = floats.len() / self.width;
        for (panel, rows) in self.panels.chunks_exact(self.rows).enumerate() {
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
    pub fn copy_columns(&self, first: usize, columns: Range<usize>, floats: &mut [f32]) {
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

/// A whole panel's width, as it almost always is, needs no call.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    match (from.as_array::<PANEL>(), to.as_mut_array::<PANEL>()) {
        (Some(from), Some(to)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}
