//! Products of rows with a matrix, a panel of its columns at a time.
//!
//! Owns the shape of what is multiplied at one time, which both kinds of numbers share: [`bytes`] and [`floats`].

/// Calls a kernel with the number of rows as a constant, so that its sums stay in registers.
#[cfg(target_arch = "x86_64")]
macro_rules! with_rows {
    ($kernel:ident, $count:expr, $arguments:tt, [$($rows:literal)*]) => {
        match $count {
            $($rows => $kernel::<$rows> $arguments,)*
            _ => {}
        }
    };
}

pub mod bytes;
pub mod floats;

/// Columns of a matrix that lie together and are multiplied at one time.
pub const PANEL: usize = 32;
/// Rows that are multiplied at one time: their sums fill the registers of AVX-512.
pub const ROWS: usize = 12;

/// Panels of a matrix with `outputs` columns; the last is filled up with zeros.
pub const fn panels(outputs: usize) -> usize {
    outputs.div_ceil(PANEL)
}

/// Rows in each of the pieces of equal size that `rows` are cut into: a last piece of one row would cost as much as a
/// whole one.
pub const fn piece(rows: usize) -> usize {
    rows.div_ceil(rows.div_ceil(ROWS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_has_a_place_of_its_own() {
        let (outputs, inputs) = (40, 12);
        for place in [bytes::place, floats::place] {
            let mut places: Vec<usize> = (0..outputs)
                .flat_map(|output| (0..inputs).map(move |input| place(output, input, inputs)))
                .collect();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), outputs * inputs);
            assert!(places.last() < Some(&(panels(outputs) * PANEL * inputs)));
        }
    }
}
