//! Operators of our own, run by ONNX Runtime on the session's threads.
//!
//! Owns the products of floats and of rounded numbers and all that happens between two of them. Rows never notice each
//! other but in the attention of a text to itself, and texts lie one behind the other without padding, so a text's vector
//! is the same, bit for bit, whatever else is in its batch.

mod attention;
mod operators;
mod panels;
mod passes;
pub mod product;
mod rows;
mod sharing;
mod tensors;

pub use operators::{DOMAIN, domain, name};
