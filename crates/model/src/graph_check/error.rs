//! What is wrong with a graph of our own.

/// Why a graph of our own domain is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The file is not an ONNX graph.
    #[error("it is not a valid ONNX graph")]
    Decode(#[from] prost::DecodeError),
    /// The file has fields that the exporter never writes.
    #[error("it holds more than the exporter writes")]
    Unknown,
    /// A tensor's type, shape, or place in the file of weights is wrong.
    #[error("tensor {name} {why}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A node's inputs, outputs or attributes do not fit its operator.
    #[error("node {name} ({operator}): {why}")]
    Node {
        /// The node.
        name: String,
        /// Its operator.
        operator: String,
        /// What does not fit.
        why: String,
    },
    /// The file of weights is longer or shorter than its tensors.
    #[error(
        "its weights take {expected} bytes, and their file has {found}: it is truncated or damaged"
    )]
    WeightsLength {
        /// Bytes up to the end of the last tensor.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
    /// The graph as a whole is wrong: its inputs, outputs or operator sets.
    #[error("{0}")]
    Structure(String),
}
