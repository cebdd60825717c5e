//! The file that holds a model's large tensors beside its graph.
//!
//! Every tensor begins on a page, so that ONNX Runtime can map it instead of reading it. Tensors are written in the
//! order in which the graph asks for them, which is always the same.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Error;
use super::onnx::{DataLocation, ElementType, StringEntry, Tensor};
use super::safetensors::{TensorPlace, Transfer, WeightsFile};
use crate::weights_file::{INLINE_BYTES, WEIGHTS_FILE, next_offset};

/// The weights file under construction.
pub struct WeightsWriter {
    path: PathBuf,
    file: BufWriter<File>,
    position: u64,
}

impl WeightsWriter {
    /// Creates the file in a model directory.
    pub fn create(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(WEIGHTS_FILE);
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

    /// Copies tensors one below the other into one tensor; all must agree in every dimension but the first.
    pub fn stack(
        &mut self,
        source: &mut WeightsFile,
        name: &str,
        parts: &[TensorPlace],
    ) -> Result<Tensor, Error> {
        let mut shape = parts[0].shape.clone();
        shape[0] = parts.iter().map(|part| part.shape[0]).sum();
        self.tensor(name, &shape, ElementType::Float, |sink| {
            parts.iter().try_for_each(|part| source.copy(part, sink))
        })
    }

    /// Writes computed floats.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<Tensor, Error> {
        self.tensor(name, shape, ElementType::Float, |sink| {
            write_all(sink, values.iter().flat_map(|value| value.to_le_bytes()))
        })
    }

    /// Writes computed whole numbers.
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

    /// Writes a tensor of signed bytes that `fill` gives row by row.
    pub fn bytes(
        &mut self,
        name: &str,
        shape: &[usize],
        fill: impl FnOnce(&mut dyn Write) -> Result<(), Transfer>,
    ) -> Result<Tensor, Error> {
        self.tensor(name, shape, ElementType::Int8, fill)
    }

    fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        element: ElementType,
        fill: impl FnOnce(&mut dyn Write) -> Result<(), Transfer>,
    ) -> Result<Tensor, Error> {
        let length = (shape.iter().product::<usize>() * element.bytes()) as u64;
        let place = self.place(length)?;
        let mut inline = Vec::new();
        let sink: &mut dyn Write = if place.is_some() {
            &mut self.file
        } else {
            &mut inline
        };
        fill(sink).map_err(|fault| match fault {
            Transfer::Read(error) => error,
            Transfer::Write(source) => Error::Write {
                path: self.path.clone(),
                source,
            },
        })?;
        Ok(describe(name, shape, element, place, inline))
    }

    /// Writes what is buffered and waits until it is on the disk.
    pub fn finish(mut self) -> Result<(), Error> {
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .map_err(|source| Error::Write {
                path: self.path,
                source,
            })
    }

    /// Chooses where `length` bytes go, and pads the file up to there; `None`: into the graph.
    fn place(&mut self, length: u64) -> Result<Option<Place>, Error> {
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
        Ok(Some(Place { offset, length }))
    }
}

struct Place {
    offset: u64,
    length: u64,
}

fn write_all(sink: &mut dyn Write, bytes: impl Iterator<Item = u8>) -> Result<(), Transfer> {
    let bytes: Vec<u8> = bytes.collect();
    sink.write_all(&bytes).map_err(Transfer::Write)
}

fn describe(
    name: &str,
    shape: &[usize],
    element: ElementType,
    place: Option<Place>,
    inline: Vec<u8>,
) -> Tensor {
    let mut tensor = Tensor {
        name: name.to_owned(),
        dims: shape.iter().map(|&size| size as i64).collect(),
        data_type: element.into(),
        ..Tensor::default()
    };
    match place {
        None => tensor.raw_data = Some(inline),
        Some(place) => {
            tensor.data_location = DataLocation::External.into();
            tensor.external_data = [
                ("location", WEIGHTS_FILE.to_owned()),
                ("offset", place.offset.to_string()),
                ("length", place.length.to_string()),
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
