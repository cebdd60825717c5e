//! Arithmetic of a transformer encoder on slices: matrix multiplication, attention and row operations.
//!
//! Owns every instruction set and all `unsafe` code of the program. No safe function here can be called so that behaviour is
//! undefined: sizes that do not fit are a panic at worst. Knows neither files nor ONNX Runtime: threads come from the caller
//! through [`Threads`]. Rows never influence each other, except inside one sequence's attention, so a result does not
//! depend, bit for bit, on what else is computed with it.
#![allow(unsafe_code, reason = "vector instructions need it")]

pub mod attention;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod gemm;
pub mod row_operations;
pub mod rows;
pub mod threads;

pub use threads::Threads;
