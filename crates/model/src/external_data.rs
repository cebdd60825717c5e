//! The layout of the file that holds a model's large tensors beside its graph.
//!
//! The exporter writes it and the check at loading expects it: tensors follow each other in the order of the graph, and each
//! begins at the next page.

/// File name of the weights in a model directory.
pub const EXTERNAL_DATA_FILE: &str = "model.onnx.data";

/// ONNX asks that mapped tensors begin at multiples of the page size.
const PAGE_BYTES: u64 = 4096;
/// Tensors below this size are in the graph itself.
pub const INLINE_BYTES: u64 = 64 * 1024;

/// Where the tensor begins that follows one which ends at `end`. Beyond every file it is the greatest offset.
pub fn next_offset(end: u64) -> u64 {
    end.checked_next_multiple_of(PAGE_BYTES).unwrap_or(u64::MAX)
}
