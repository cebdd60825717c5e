//! External data: the file with a graph's large tensors.
//!
//! Every tensor starts at a page boundary, so that ONNX Runtime can map the file instead of reading it. Tensors are
//! written in the order in which they are added, so the same graph gives the same bytes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::safetensors::{CopyError, SafetensorsFile, TensorLocation};
use crate::external_data::{EXTERNAL_DATA_FILE, INLINE_BYTES, next_offset};
use crate::onnx::{DataLocation, ElementType, StringEntry, Tensor};

/// The file while it is written.
pub struct ExternalDataWriter {
    path: PathBuf,
    file: BufWriter<File>,
    position: u64,
}

impl ExternalDataWriter {
    /// Creates the file in a model directory.
    pub fn create(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(EXTERNAL_DATA_FILE);
        let file = File::create(&path).map_err(|source| Error::Write {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            path,
            file: BufWriter::with_capacity(1 << 20, file),
            position: 0,
        })
    }

    /// Copies tensors, stacked along the first dimension, into one tensor. All other dimensions must be equal.
    pub fn stack(
        &mut self,
        source: &mut SafetensorsFile,
        name: &str,
        parts: &[TensorLocation],
    ) -> Result<Tensor, Error> {
        let mut shape = parts[0].shape.clone();
        shape[0] = parts.iter().map(|part| part.shape[0]).sum();
        self.tensor(name, &shape, ElementType::Float, |sink| {
            parts.iter().try_for_each(|part| source.copy(part, sink))
        })
    }

    /// Writes an fp32 tensor.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<Tensor, Error> {
        self.tensor(name, shape, ElementType::Float, |sink| {
            write_all(sink, values.iter().flat_map(|value| value.to_le_bytes()))
        })
    }

    /// Writes an int32 tensor.
    pub fn integers(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[i32],
    ) -> Result<Tensor, Error> {
        self.tensor(name, shape, ElementType::Int32, |sink| {
            write_all(sink, values.iter().flat_map(|value| value.to_le_bytes()))
        })
    }

    /// Writes an int8 tensor, whose bytes `fill` writes.
    pub fn bytes(
        &mut self,
        name: &str,
        shape: &[usize],
        fill: impl FnOnce(&mut dyn Write) -> Result<(), CopyError>,
    ) -> Result<Tensor, Error> {
        self.tensor(name, shape, ElementType::Int8, fill)
    }

    fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        element: ElementType,
        fill: impl FnOnce(&mut dyn Write) -> Result<(), CopyError>,
    ) -> Result<Tensor, Error> {
        let length = (shape.iter().product::<usize>() * element.bytes()) as u64;
        let location = self.allocate(length)?;
        let mut inline = Vec::new();
        let sink: &mut dyn Write = if location.is_some() {
            &mut self.file
        } else {
            &mut inline
        };
        fill(sink).map_err(|error| match error {
            CopyError::Read(error) => error,
            CopyError::Write(source) => Error::Write {
                path: self.path.clone(),
                source,
            },
        })?;
        Ok(tensor_message(name, shape, element, location, inline))
    }

    /// Flushes the file to the disk.
    pub fn finish(mut self) -> Result<(), Error> {
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .map_err(|source| Error::Write {
                path: self.path,
                source,
            })
    }

    /// Pads the file to where `length` bytes go; `None` if they go into the graph.
    fn allocate(&mut self, length: u64) -> Result<Option<Location>, Error> {
        if length < INLINE_BYTES {
            return Ok(None);
        }
        let offset = next_offset(self.position);
        let padding = vec![0; (offset - self.position) as usize];
        self.file
            .write_all(&padding)
            .map_err(|source| Error::Write {
                path: self.path.clone(),
                source,
            })?;
        self.position = offset + length;
        Ok(Some(Location { offset, length }))
    }
}

struct Location {
    offset: u64,
    length: u64,
}

fn write_all(sink: &mut dyn Write, bytes: impl Iterator<Item = u8>) -> Result<(), CopyError> {
    let bytes: Vec<u8> = bytes.collect();
    sink.write_all(&bytes).map_err(CopyError::Write)
}

fn tensor_message(
    name: &str,
    shape: &[usize],
    element: ElementType,
    location: Option<Location>,
    inline: Vec<u8>,
) -> Tensor {
    let mut tensor = Tensor {
        name: name.to_owned(),
        dims: shape.iter().map(|&size| size as i64).collect(),
        data_type: element.into(),
        ..Tensor::default()
    };
    match location {
        None => tensor.raw_data = Some(inline),
        Some(location) => {
            tensor.data_location = DataLocation::External.into();
            tensor.external_data = [
                ("location", EXTERNAL_DATA_FILE.to_owned()),
                ("offset", location.offset.to_string()),
                ("length", location.length.to_string()),
            ]
            .map(|(key, value)| StringEntry {
                key: key.to_owned(),
                value,
            })
            .into();
        }
    }
    tensor
}
