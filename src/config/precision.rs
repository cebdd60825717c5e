//! The one setting that an exported model carries with it.
//!
//! Invariant: it stands alone, so that what exports models can be built without the rest of the settings.

use std::fmt;

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

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fp32 => "fp32",
            Self::Int8 => "int8",
        })
    }
}
