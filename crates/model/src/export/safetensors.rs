//! Reading tensors from a safetensors file.
//!
//! Only the header stays in memory, and large tensors can be read in chunks of rows, so an export needs far less memory
//! than the checkpoint has bytes.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use ::safetensors::tensor::{Metadata, TensorInfo};

use super::element_type::ElementType;
use super::error::Error;
use crate::file;

/// The format's own limit.
const HEADER_LIMIT_BYTES: u64 = 100_000_000;
const LENGTH_BYTES: u64 = 8;
const CHUNK_BYTES: usize = 1 << 20;

/// An open safetensors file whose length agrees with its header.
pub struct SafetensorsFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    data_start: u64,
}

/// A tensor of floating point numbers, or some rows of one, that has not been read yet.
#[derive(Clone)]
pub struct Tensor<'a> {
    file: &'a SafetensorsFile,
    name: String,
    element_type: ElementType,
    offset: u64,
    shape: Vec<usize>,
}

impl Tensor<'_> {
    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.element_type.bytes()
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

    /// The elements in fp32; one that is not finite in fp32 is an error.
    pub fn read(&self) -> Result<Vec<f32>, Error> {
        let mut bytes = vec![0; self.bytes()];
        self.file
            .file
            .read_exact_at(&mut bytes, self.offset)
            .map_err(crate::Error::reading(&self.file.path))?;
        let floats = self.element_type.to_floats(&bytes);
        if floats.iter().all(|float| float.is_finite()) {
            return Ok(floats);
        }
        Err(self
            .file
            .refuse(&self.name, "holds a value that is not finite in fp32"))
    }
}

impl SafetensorsFile {
    /// Opens a file and reads its header.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let read_error = crate::Error::reading(path);
        let mut file = file::open(path)?;
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

    /// The names of its tensors, in the order of their data.
    pub fn names(&self) -> Vec<String> {
        self.metadata.offset_keys()
    }

    /// The shape of a tensor; an error if there is none of this name.
    pub fn shape(&self, name: &str) -> Result<&[usize], Error> {
        Ok(&self.info(name)?.shape)
    }

    /// Finds a tensor; an error if there is none of exactly this name and shape, or if its elements cannot be exported.
    pub fn find(&self, name: &str, shape: &[usize]) -> Result<Tensor<'_>, Error> {
        let info = self.info(name)?;
        if info.shape != shape {
            let why = format!("has the shape {:?}, not {shape:?}", info.shape);
            return Err(self.refuse(name, &why));
        }
        let element_type = ElementType::of(info.dtype).ok_or_else(|| {
            let supported = ElementType::SUPPORTED;
            let why = format!("holds {}; only {supported} are supported", info.dtype);
            self.refuse(name, &why)
        })?;
        Ok(Tensor {
            file: self,
            name: name.to_owned(),
            element_type,
            offset: self.data_start + info.data_offsets.0 as u64,
            shape: info.shape.clone(),
        })
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, Error> {
        let info = self.metadata.info(name);
        info.ok_or_else(|| self.refuse(name, "is missing"))
    }

    fn refuse(&self, tensor: &str, why: &str) -> Error {
        Error::Tensor {
            file: self.path.clone(),
            tensor: tensor.to_owned(),
            why: why.to_owned(),
        }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
