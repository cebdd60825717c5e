//! Operators of our own for int8 models, run by ONNX Runtime on the session's threads.
//!
//! Owns what happens between two products of rounded numbers; the products themselves are ONNX Runtime's. Every
//! activation is rounded by the range of its own row, and texts lie one behind the other without padding, so a text's
//! vector is the same, bit for bit, whatever else is in its batch.

mod attention;
mod operators;
mod rows;
mod tensors;

pub use operators::{DOMAIN, domain, name};

/// How this processor multiplies bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteProducts {
    /// What its instructions are called.
    pub instructions: &'static str,
    /// Steps that an activation may be rounded to.
    pub levels: u8,
}

impl ByteProducts {
    /// Looks at the processor.
    ///
    /// Without VNNI, x86 adds two products of bytes in 16 bits, which 255 x 127 x 2 would overflow; 127 x 127 x 2
    /// fits, so activations get 7 bits there.
    pub fn detect() -> Self {
        const ALL: u8 = 255;
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512vnni") {
                return Self { instructions: "AVX-512 VNNI", levels: ALL };
            }
            if is_x86_feature_detected!("avxvnni") {
                return Self { instructions: "AVX VNNI", levels: ALL };
            }
            Self { instructions: "AVX2 without VNNI", levels: 127 }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Self { instructions: "those of its architecture", levels: ALL }
    }
}
