//! The GEMM in plain Rust, for processors without a kernel of their own.

use super::{GROUP, PANEL, STEP, Sums};

pub fn multiply(rows: &[u8], inputs: usize, panel: &[i8], sums: &mut Sums) {
    for (row, sums) in rows.chunks_exact(inputs).zip(sums) {
        *sums = [0; PANEL];
        let groups = row.as_chunks::<GROUP>().0;
        for (activations, weights) in groups.iter().zip(panel.as_chunks::<STEP>().0) {
            for (sum, weights) in sums.iter_mut().zip(weights.as_chunks::<GROUP>().0) {
                for (&activation, &weight) in activations.iter().zip(weights) {
                    *sum += i32::from(activation) * i32::from(weight);
                }
            }
        }
    }
}
