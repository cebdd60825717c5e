//! Why a checkpoint cannot be exported.
//!
//! Every error names the file, the tensor or the value that is wrong.

use std::path::{Path, PathBuf};

use kernels::gemm::int8::{GROUP, MAX_INPUTS};

use super::heads::StateDictError;

/// Why an export failed.
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
    /// A tensor is missing, or its shape or element type is not the one that the architecture prescribes.
    #[error("{file}: tensor {tensor} {why}", file = file.display())]
    Tensor {
        /// The weights file.
        file: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// What is wrong with it.
        why: String,
    },
    /// The header of the weights file is invalid.
    #[error("{file} is not a valid safetensors file", file = file.display())]
    Header {
        /// The weights file.
        file: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
    /// The weights file is shorter or longer than its header says.
    #[error("{file} has {actual} bytes, but its header declares {declared}: the file is truncated or corrupt", file = file.display())]
    Length {
        /// The weights file.
        file: PathBuf,
        /// Bytes that the header declares, header included.
        declared: u64,
        /// Bytes that the file has.
        actual: u64,
    },
    /// A head's file is not a state dict of the tensors that the head has.
    #[error("{file} cannot be read as a head", file = file.display())]
    StateDict {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: StateDictError,
    },
    /// The int8 kernels cannot multiply a matrix of this size.
    #[error("{name} has {inputs} inputs; int8 needs a multiple of {GROUP}, at most {MAX_INPUTS}")]
    NotQuantizable {
        /// The matrix's name in the graph.
        name: String,
        /// Its number of inputs.
        inputs: usize,
    },
    /// A file cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A file cannot be read, or the exported model cannot be loaded or run.
    #[error(transparent)]
    Model(#[from] crate::Error),
    /// The exported model gives wrong vectors.
    #[error("the exported model fails its check: {why}")]
    Check {
        /// Which value is wrong, and what was expected.
        why: String,
    },
}

impl Error {
    /// The error of writing `path`.
    pub(super) fn writing(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}
