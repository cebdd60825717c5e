//! The numeric precision of a model's matrices.

use std::fmt;

use kernels::gemm::{fp32, int8};
use serde::{Deserialize, Serialize};

/// Numeric precision of a model's matrices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats: the reference.
    #[default]
    Fp32,
    /// 8-bit weights and activations: about a third of the memory.
    Int8,
}

impl Precision {
    /// Name of the instruction set with which this processor multiplies matrices of this precision.
    pub fn instruction_set(self) -> &'static str {
        match self {
            Self::Fp32 => fp32::InstructionSet::detect().name(),
            Self::Int8 => int8::InstructionSet::detect().name(),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fp32 => "fp32",
            Self::Int8 => "int8",
        })
    }
}
