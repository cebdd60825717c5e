//! Reading tensors out of `model.safetensors` piece by piece.
//!
//! Only the header is kept in memory: a tensor is read when it is written elsewhere, in pieces of bounded size, so an
//! export needs far less memory than the checkpoint has bytes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ::safetensors::Dtype;
use ::safetensors::tensor::Metadata;

use super::Error;

/// Largest header that is read: the format's own limit.
const HEADER_LIMIT_BYTES: u64 = 100_000_000;
const LENGTH_BYTES: u64 = 8;
const PIECE_BYTES: usize = 1 << 20;
const FLOAT_BYTES: usize = size_of::<f32>();

/// An opened weights file whose length agrees with its header.
pub struct WeightsFile {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    data_start: u64,
}

/// Place and shape of one fp32 tensor.
#[derive(Debug, Clone)]
pub struct TensorPlace {
    name: String,
    offset: u64,
    /// Sizes of its dimensions.
    pub shape: Vec<usize>,
}

impl TensorPlace {
    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * FLOAT_BYTES
    }

    /// Splits a matrix into pieces of whole rows, each of about a megabyte.
    pub fn row_pieces(&self) -> Vec<Self> {
        let row_bytes = self.bytes() / self.shape[0].max(1);
        let rows_at_once = (PIECE_BYTES / row_bytes.max(1)).max(1);
        (0..self.shape[0])
            .step_by(rows_at_once)
            .map(|row| {
                let mut piece = self.clone();
                piece.offset += (row * row_bytes) as u64;
                piece.shape[0] = rows_at_once.min(self.shape[0] - row);
                piece
            })
            .collect()
    }
}

impl WeightsFile {
    /// Opens a file and reads its header.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let read_error = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(read_error)?;
        let actual = file.metadata().map_err(read_error)?.len();
        let length_error = |announced| Error::Length {
            file: path.to_owned(),
            announced,
            actual,
        };
        let mut length = [0; LENGTH_BYTES as usize];
        if actual < LENGTH_BYTES {
            return Err(length_error(LENGTH_BYTES));
        }
        file.read_exact(&mut length).map_err(read_error)?;
        let header_bytes = u64::from_le_bytes(length);
        let data_start = header_bytes.saturating_add(LENGTH_BYTES);
        if header_bytes > HEADER_LIMIT_BYTES || data_start > actual {
            return Err(length_error(data_start));
        }
        let mut header = vec![0; header_bytes as usize];
        file.read_exact(&mut header).map_err(read_error)?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|source| Error::Header {
                file: path.to_owned(),
                source,
            })?;
        let announced = data_start + metadata.data_len() as u64;
        if announced != actual {
            return Err(length_error(announced));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            metadata,
            data_start,
        })
    }

    /// The one prefix that stands before `suffix` in the names of the file, such as `roberta.`; usually empty.
    pub fn prefix_of(&self, suffix: &str) -> Option<String> {
        self.metadata
            .offset_keys()
            .iter()
            .find_map(|name| name.strip_suffix(suffix).map(str::to_owned))
    }

    /// Finds an fp32 tensor of exactly the given shape.
    pub fn find(&self, name: &str, shape: &[usize]) -> Result<TensorPlace, Error> {
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
        Ok(TensorPlace {
            name: name.to_owned(),
            offset: self.data_start + info.data_offsets.0 as u64,
            shape: info.shape.clone(),
        })
    }

    /// Copies a tensor's little-endian bytes into `sink`, piece by piece.
    pub fn copy(&mut self, tensor: &TensorPlace, sink: &mut dyn Write) -> Result<(), Transfer> {
        let path = self.path.clone();
        let read_error = |source| {
            Transfer::Read(Error::Read {
                path: path.clone(),
                source,
            })
        };
        self.file
            .seek(SeekFrom::Start(tensor.offset))
            .map_err(read_error)?;
        let mut left = tensor.bytes();
        let mut piece = vec![0; PIECE_BYTES.min(left)];
        while left > 0 {
            let piece = &mut piece[..PIECE_BYTES.min(left)];
            self.file.read_exact(piece).map_err(read_error)?;
            sink.write_all(piece).map_err(Transfer::Write)?;
            left -= piece.len();
        }
        Ok(())
    }

    /// Reads a whole tensor, which must be finite throughout.
    pub fn read(&mut self, tensor: &TensorPlace) -> Result<Vec<f32>, Error> {
        let mut bytes = Vec::with_capacity(tensor.bytes());
        self.copy(tensor, &mut bytes).map_err(|fault| match fault {
            Transfer::Read(error) => error,
            // Memory takes whatever is written to it.
            Transfer::Write(source) => Error::Read {
                path: self.path.clone(),
                source,
            },
        })?;
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

/// Which side of a transfer failed.
pub enum Transfer {
    /// Reading, with the file that failed.
    Read(Error),
    /// Writing, to a place that only the writer can name.
    Write(std::io::Error),
}
