//! Why a checkpoint cannot be exported.

use std::path::PathBuf;

use kernels::gemm::int8::GROUP;

/// Why an export failed. Nothing is left behind that could be taken for a model directory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The directory is not a checkpoint that this exporter understands.
    #[error("{directory} cannot be exported: {why}", directory = directory.display())]
    Checkpoint {
        /// The checkpoint directory.
        directory: PathBuf,
        /// What is missing or not supported.
        why: String,
    },
    /// A tensor is missing or not of the kind that the architecture needs.
    #[error("{file}: tensor {tensor} {why}", file = file.display())]
    Tensor {
        /// The weights file.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// What is wrong with it.
        why: String,
    },
    /// The weights file's header cannot be understood.
    #[error("{file} is not a valid safetensors file", file = file.display())]
    Header {
        /// The weights file.
        file: PathBuf,
        /// Where its header fails.
        source: serde_json::Error,
    },
    /// The weights file is shorter or longer than its header says.
    #[error("{file} has {actual} bytes where its header announces {announced}: it is truncated or damaged", file = file.display())]
    Length {
        /// The weights file.
        file: PathBuf,
        /// Bytes the header announces, header included.
        announced: u64,
        /// Bytes the file has.
        actual: u64,
    },
    /// A matrix has a size that rounded rows cannot be multiplied with.
    #[error("{name} has {inputs} inputs; int8 needs a multiple of {GROUP}")]
    Unroundable {
        /// The matrix's name in the graph.
        name: String,
        /// Its inputs.
        inputs: usize,
    },
    /// A graph cannot be understood.
    #[error("{path} is not a valid ONNX graph", path = path.display())]
    Graph {
        /// The graph's file.
        path: PathBuf,
        /// Where it fails.
        source: prost::DecodeError,
    },
    /// A file cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The checkpoint's description or the written model cannot be loaded.
    #[error(transparent)]
    Model(#[from] crate::Error),
    /// The written model does not give the vectors it must.
    #[error("the written model fails its check: {why}")]
    Check {
        /// Which value is wrong, and by how much.
        why: String,
    },
}
