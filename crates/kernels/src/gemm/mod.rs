//! General matrix multiplication (GEMM): rows of activations times a matrix of prepacked weights.
//!
//! Weights are packed in panels of [`PANEL`] columns, and one call multiplies rows with one panel. Owns the
//! packed layouts and the instruction sets of both number formats, [`int8`] and [`fp32`]. A value that names an
//! instruction set proves that this processor has it: only detection makes one.

/// Calls a kernel with the number of rows as a constant, so that its sums stay in registers. The kernel may have a type
/// parameter before it.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! with_rows {
    ($kernel:ident $(<$weight:ident>)?, $count:expr, $arguments:tt, [$($rows:literal)*]) => {
        with_rows!(@match ($kernel) ($($weight)?) $count, $arguments, [$($rows)*])
    };
    (@match ($kernel:ident) $weight:tt $count:expr, $arguments:tt, [$($rows:literal)*]) => {
        match $count {
            $($rows => with_rows!(@call ($kernel) $weight $rows, $arguments),)*
            _ => {}
        }
    };
    (@call ($kernel:ident) ($($weight:ident)?) $rows:literal, $arguments:tt) => {
        $kernel::<$($weight,)? $rows> $arguments
    };
}

/// Defines the type `InstructionSet` of a GEMM. Each architecture has a macro that detects a feature, and its instruction
/// sets from the fastest to the slowest: the name for people, and every feature that the kernel is compiled with.
/// `Portable`, plain Rust, is the last on all of them.
macro_rules! instruction_sets {
    ($($architecture:literal $is_detected:ident {
        $($(#[$comment:meta])* $kind:ident $name:literal [$($feature:tt)*])*
    })*) => {
        /// An instruction set for this GEMM. That a value exists proves that this processor has the instructions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct InstructionSet(Kind);

        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Kind {
            $($($(#[$comment])* #[cfg(target_arch = $architecture)] $kind,)*)*
            Portable,
        }

        static AVAILABLE: std::sync::LazyLock<Vec<InstructionSet>> = std::sync::LazyLock::new(|| {
            let kinds = [
                $($(#[cfg(target_arch = $architecture)]
                (Kind::$kind, true $(&& std::arch::$is_detected!($feature))*),)*)*
                (Kind::Portable, true),
            ];
            let available = kinds.into_iter().filter(|(_, is_available)| *is_available);
            available.map(|(kind, _)| InstructionSet(kind)).collect()
        });

        impl InstructionSet {
            /// The fastest that this processor has.
            pub fn detect() -> Self {
                AVAILABLE[0]
            }

            /// All that this processor has, from the fastest to the slowest; the last is portable code.
            pub fn available() -> Vec<Self> {
                AVAILABLE.clone()
            }

            /// Its name for people.
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($(#[cfg(target_arch = $architecture)] Kind::$kind => $name,)*)*
                    Kind::Portable => "those of its architecture",
                }
            }
        }
    };
}

pub mod fp32;
pub mod int8;
pub mod panel_matrix;

/// Columns of a panel: they lie together in memory and are multiplied together.
pub const PANEL: usize = 32;
/// Rows that are multiplied at one time: their sums fill the registers of AVX-512.
pub const ROWS: usize = 12;

/// Panels of a matrix with `outputs` columns; the last is padded with zeros.
pub const fn panel_count(outputs: usize) -> usize {
    outputs.div_ceil(PANEL)
}

/// Rows in each of the blocks of equal size that `rows` are cut into, at most `most`. A last block of one row would cost as
/// much as a whole one. For 0 rows it is 1.
pub const fn rows_per_block(rows: usize, most: usize) -> usize {
    if rows == 0 {
        return 1;
    }
    rows.div_ceil(rows.div_ceil(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_has_an_index_of_its_own() {
        let (outputs, inputs) = (40, 12);
        for packed_index in [int8::packed_index, fp32::packed_index] {
            let mut indices: Vec<usize> = (0..outputs)
                .flat_map(|output| {
                    (0..inputs).map(move |input| packed_index(output, input, inputs))
                })
                .collect();
            indices.sort_unstable();
            indices.dedup();
            assert_eq!(indices.len(), outputs * inputs);
            assert!(indices.last() < Some(&(panel_count(outputs) * PANEL * inputs)));
        }
    }

    #[test]
    fn blocks_are_of_equal_size_and_never_larger_than_a_kernel_takes() {
        for (rows, block) in [(0, 1), (1, 1), (12, 12), (13, 7), (25, 9)] {
            assert_eq!(rows_per_block(rows, ROWS), block);
        }
    }
}
