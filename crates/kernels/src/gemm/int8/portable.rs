//! The GEMM in plain Rust, for processors without a kernel of their own.
//!
//! Bytes are widened to 16 bits first, column by column, because nearly every processor multiplies and adds vectors of
//! these: the loop of [`dot_product`] is one that the compiler knows how to vectorize for them.

use super::{GROUP, PANEL, STEP, Sums};

/// Inputs that are widened at one time. All columns of so many stay in the processor's cache.
const CHUNK: usize = 256;
/// Sums that are kept side by side.
const LANES: usize = 8;

/// Inputs of a row or a column, with zeros after the last.
type Chunk = [i16; CHUNK];

pub fn multiply(rows: &[u8], inputs: usize, panel: &[i8], sums: &mut Sums) {
    let rows = rows.chunks_exact(inputs);
    let sums = &mut sums[..rows.len()];
    sums.fill([0; PANEL]);
    let mut columns = [[0; CHUNK]; PANEL];
    let mut activations = [0; CHUNK];
    for (index, steps) in panel.chunks(CHUNK * PANEL).enumerate() {
        widen_columns(steps, &mut columns);
        for (row, sums) in rows.clone().zip(&mut *sums) {
            widen_row(&row[index * CHUNK..], &mut activations);
            for (sum, column) in sums.iter_mut().zip(&columns) {
                *sum += dot_product(&activations, column);
            }
        }
    }
}

fn widen_row(bytes: &[u8], row: &mut Chunk) {
    // The inputs beyond the last have weights of an earlier chunk, which 0 makes harmless.
    row[bytes.len().min(CHUNK)..].fill(0);
    for (wide, &byte) in row.iter_mut().zip(bytes) {
        *wide = i16::from(byte);
    }
}

fn widen_columns(steps: &[i8], columns: &mut [Chunk; PANEL]) {
    for (group, step) in steps.as_chunks::<STEP>().0.iter().enumerate() {
        // A step is widened as a whole, because that is a loop for vector instructions.
        let step = step.map(i16::from);
        for (column, weights) in columns.iter_mut().zip(step.as_chunks::<GROUP>().0) {
            column[group * GROUP..][..GROUP].copy_from_slice(weights);
        }
    }
}

/// Two products are added to each sum at one time, as the instructions for 16 bits do.
fn dot_product(row: &Chunk, column: &Chunk) -> i32 {
    let pieces = row.as_chunks::<{ 2 * LANES }>().0;
    let mut sums = [0; LANES];
    for (row, column) in pieces.iter().zip(column.as_chunks::<{ 2 * LANES }>().0) {
        let product = |input: usize| i32::from(row[input]) * i32::from(column[input]);
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += product(lane) + product(lane + LANES);
        }
    }
    sums.iter().sum()
}
