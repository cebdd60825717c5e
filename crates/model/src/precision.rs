//! The numeric precision of a model's weights.
//!
//! Owns the names `fp32` and `int8`, and which instruction set this processor uses for each.

use std::fmt;
use std::str::FromStr;

use kernels::gemm::{fp32, int8};
use serde::{Deserialize, Serialize};

/// Numeric precision of a model's weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    Fp32,
    /// 8-bit weights and activations, in about a third of the memory.
    Int8,
}

impl Precision {
    /// Name of the instruction set that this processor uses for matrix multiplications of this precision.
    pub fn instruction_set(self) -> &'static str {
        match self {
            Self::Fp32 => fp32::InstructionSet::detect().name(),
            Self::Int8 => int8::InstructionSet::detect().name(),
        }
    }
}

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(name: &str) -> Result<Self, UnknownPrecision> {
        [Self::Fp32, Self::Int8]
            .into_iter()
            .find(|precision| precision.to_string() == name)
            .ok_or(UnknownPrecision)
    }
}

/// A name that is not a precision's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the precision must be fp32 or int8")]
pub struct UnknownPrecision;

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
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
        for precision in [Precision::Fp32, Precision::Int8] {
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        assert_eq!("fp16".parse::<Precision>(), Err(UnknownPrecision));
    }
}
