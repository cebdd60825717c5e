//! Reading tensors from `model.safetensors`.
//!
//! Only the header stays in memory, and large tensors can be read in chunks of rows, so an export needs far less memory
//! than the checkpoint has bytes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ::safetensors::Dtype;
use ::safetensors::tensor::Metadata;

use super::error::Error;

/// The format's own limit.
const HEADER_LIMIT_BYTES: u64 = 100_000_000;
const LENGTH_BYTES: u64 = 8;
const CHUNK_BYTES: usize = 1 << 20;
const FLOAT_BYTES: usize = size_of::<f32>();

/// An open safetensors file whose length agrees with its header.
pub struct SafetensorsFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    data_start: u64,
}

/// Where in the file an fp32 tensor is.
#[derive(Debug, Clone)]
pub struct TensorLocation {
    name: String,
    offset: u64,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl TensorLocation {
    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * FLOAT_BYTES
    }

    /// Splits a matrix into chunks of whole rows, each of about a megabyte.
    pub fn row_chunks(&self) -> Vec<Self> {
        let row_bytes = self.bytes() / self.shape[0].max(1);
        let rows_at_once = (CHUNK_BYTES / row_bytes.max(1)).max(1);
        (0..self.shape[0])
            .step_by(rows_at_once)
            .map(|row| {
                let mut chunk = self.clone();
                chunk.offset += (row * row_bytes) as u64;
                chunk.shape[0] = rows_at_once.min(self.shape[0] - row);
                chunk
            })
            .collect()
    }
}

impl SafetensorsFile {
    /// Opens a file and reads its header.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let read_error = crate::Error::reading(path);
        let mut file = File::open(path).map_err(&read_error)?;
        let actual = file.metadata().map_err(&read_error)?.len();
        let length_error = |declared| Error::Length {
            file: path.to_owned(),
            declared,
            actual,
        };
        let mut length = [0; LENGTH_BYTES as usize];
        if actual < LENGTH_BYTES {
            return Err(length_error(LENGTH_BYTES));
        }
        file.read_exact(&mut length).map_err(&read_error)?;
        let header_bytes = u64::from_le_bytes(length);
        let data_start = header_bytes.saturating_add(LENGTH_BYTES);
        if header_bytes > HEADER_LIMIT_BYTES || data_start > actual {
            return Err(length_error(data_start));
        }
        let mut header = vec![0; header_bytes as usize];
        file.read_exact(&mut header).map_err(&read_error)?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|source| Error::Header {
                file: path.to_owned(),
                source,
            })?;
        let declared = data_start + metadata.data_len() as u64;
        if declared != actual {
            return Err(length_error(declared));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            metadata,
            data_start,
        })
    }

    /// What precedes `suffix` in the name of a tensor: usually nothing, sometimes `roberta.`; `None` if no name ends so.
    pub fn prefix_of(&self, suffix: &str) -> Option<String> {
        self.metadata
            .offset_keys()
            .iter()
            .find_map(|name| name.strip_suffix(suffix).map(str::to_owned))
    }

    /// Finds an fp32 tensor; an error if there is none of exactly this name and shape.
    pub fn find(&self, name: &str, shape: &[usize]) -> Result<TensorLocation, Error> {
        let refuse = |why: String| Error::Tensor {
            file: self.path.clone(),
            tensor: name.to_owned(),
            why,
        };
        let info = self
            .metadata
            .info(name)
            .ok_or_else(|| refuse("is missing".to_owned()))?;
        if info.shape != shape {
            return Err(refuse(format!(
                "has the shape {:?}, not {shape:?}",
                info.shape
            )));
        }
        if info.dtype != Dtype::F32 {
            return Err(refuse(format!(
                "holds {:?}; only F32 is supported",
                info.dtype
            )));
        }
        Ok(TensorLocation {
            name: name.to_owned(),
            offset: self.data_start + info.data_offsets.0 as u64,
            shape: info.shape.clone(),
        })
    }

    /// Reads a whole tensor; a value that is not finite is an error.
    pub fn read(&mut self, tensor: &TensorLocation) -> Result<Vec<f32>, Error> {
        let mut bytes = vec![0; tensor.bytes()];
        self.file
            .seek(SeekFrom::Start(tensor.offset))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(crate::Error::reading(&self.path))?;
        let values: Vec<f32> = bytes
            .as_chunks()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        if values.iter().all(|value| value.is_finite()) {
            return Ok(values);
        }
        Err(Error::Tensor {
            file: self.path.clone(),
            tensor: tensor.name.clone(),
            why: "holds a value that is not finite".to_owned(),
        })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
