//! The numeric precision of a model's weights.
//!
//! Owns the names `fp16`, `fp32` and `int8`, and which instruction set this processor uses for each.

use std::fmt;

use clap::ValueEnum;
use kernels::gemm::{fp32, int8};
use serde::{Deserialize, Serialize};

/// Numeric precision of a model's weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Halves, which are 16-bit floats, in half of the memory; they are widened to fp32 and multiplied as such.
    #[default]
    #[value(help = "16-bit floats, multiplied in fp32")]
    Fp16,
    /// 32-bit floats.
    Fp32,
    /// 8-bit weights and activations, in about a third of the memory of fp32.
    #[value(help = "8-bit integers")]
    Int8,
}

impl Precision {
    /// All precisions.
    pub const ALL: [Self; 3] = [Self::Fp16, Self::Fp32, Self::Int8];

    /// Name of the instruction set that this processor uses for matrix multiplications of this precision.
    pub fn instruction_set(self) -> &'static str {
        match self {
            Self::Fp16 | Self::Fp32 => fp32::InstructionSet::detect().name(),
            Self::Int8 => int8::InstructionSet::detect().name(),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fp16 => "fp16",
            Self::Fp32 => "fp32",
            Self::Int8 => "int8",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_is_parsed_from_its_own_name_and_from_nothing_else() {
        for precision in Precision::ALL {
            let name = precision.to_string();
            assert_eq!(Precision::from_str(&name, false), Ok(precision));
            assert_eq!(serde_json::to_value(precision).unwrap(), name);
        }
        assert!(Precision::from_str("fp8", false).is_err());
    }
}
