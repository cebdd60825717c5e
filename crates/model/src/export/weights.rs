//! The values of a graph's weights: read from a checkpoint, prepacked, and written to the model directory.
//!
//! A tensor enters the graph only if the checkpoint has it in exactly the shape that the architecture prescribes. Matrices
//! are written in the layout that the kernels read, so a server maps them and never makes a copy of its own.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use half::f16;
use kernels::gemm::{fp32, int8};

use super::checkpoint::{Checkpoint, WORD_EMBEDDINGS};
use super::error::Error;
use super::quantization::QuantizedRow;
use super::{halves, safetensors};
use crate::graph::{EXTERNAL_DATA_FILE, Layout, Linear, Weights, next_offset, with_suffix};
use crate::onnx::{Graph, Tensor};
use crate::precision::Precision;

/// Writes the weights of a graph: small ones into the graph, which is returned, the others into a file in `directory`.
pub fn write(layout: Layout, checkpoint: &Checkpoint, directory: &Path) -> Result<Graph, Error> {
    let path = directory.join(EXTERNAL_DATA_FILE);
    let file = File::create(&path).map_err(Error::writing(&path))?;
    let mut writer = WeightWriter {
        checkpoint,
        path: &path,
        file: BufWriter::with_capacity(1 << 20, file),
    };
    let mut graph = layout.graph;
    for (weights, range) in &layout.weights {
        writer.write_weights(weights, &mut graph.initializer[range.clone()])?;
    }
    writer.write_to_file(|file| {
        file.flush()?;
        file.get_ref().sync_all()
    })?;
    Ok(graph)
}

struct WeightWriter<'a> {
    checkpoint: &'a Checkpoint,
    path: &'a Path,
    file: BufWriter<File>,
}

impl WeightWriter<'_> {
    fn write_weights(&mut self, weights: &Weights, tensors: &mut [Tensor]) -> Result<(), Error> {
        match weights {
            Weights::Words(precision) => self.write_words(*precision, tensors),
            Weights::Positions(precision) => {
                let positions = positions(self.checkpoint)?;
                self.write(&mut tensors[0], &stored(&positions, *precision))
            }
            Weights::Vectors { parts, length } => {
                let vectors = read(self.checkpoint, parts, &[*length])?;
                self.write(&mut tensors[0], &bytes(&vectors, f32::to_le_bytes))
            }
            Weights::Matrices(linear) => {
                let rows = matrices(self.checkpoint, linear)?;
                match linear.precision {
                    Precision::Fp16 | Precision::Fp32 => {
                        self.write_packed(linear, &rows, &mut tensors[0])
                    }
                    Precision::Int8 => self.write_quantized(linear, &rows, tensors),
                }
            }
        }
    }

    /// The table is the largest tensor by far, and is copied a few rows at a time.
    fn write_words(&mut self, precision: Precision, tensors: &mut [Tensor]) -> Result<(), Error> {
        let checkpoint = self.checkpoint;
        let columns = checkpoint.architecture.hidden.get();
        let table = words(checkpoint)?;
        let mut scales = Vec::new();
        self.begin(&tensors[0])?;
        for chunk in table.row_chunks() {
            let rows = chunk.read()?;
            let data: Vec<u8> = match precision {
                Precision::Fp16 | Precision::Fp32 => stored(&rows, precision),
                Precision::Int8 => rows
                    .chunks_exact(columns)
                    .flat_map(|row| {
                        let QuantizedRow { values, scale } = QuantizedRow::new(row);
                        scales.push(scale);
                        values
                    })
                    .map(i8::cast_unsigned)
                    .collect(),
            };
            self.append(&mut tensors[0], &data)?;
        }
        match precision {
            Precision::Fp16 | Precision::Fp32 => Ok(()),
            Precision::Int8 => self.write(&mut tensors[1], &bytes(&scales, f32::to_le_bytes)),
        }
    }

    fn write_packed(
        &mut self,
        linear: &Linear,
        rows: &[f32],
        tensor: &mut Tensor,
    ) -> Result<(), Error> {
        let inputs = linear.inputs;
        let mut packed = vec![0.0_f32; tensor.elements() as usize];
        for (output, row) in rows.chunks_exact(inputs).enumerate() {
            for (input, &weight) in row.iter().enumerate() {
                packed[fp32::packed_index(output, input, inputs)] = weight;
            }
        }
        self.write(tensor, &stored(&packed, linear.precision))
    }

    fn write_quantized(
        &mut self,
        linear: &Linear,
        rows: &[f32],
        tensors: &mut [Tensor],
    ) -> Result<(), Error> {
        let inputs = linear.inputs;
        if !int8::fits(inputs) {
            return Err(Error::NotQuantizable {
                name: linear.name.clone(),
                inputs,
            });
        }
        let mut packed = vec![0_u8; tensors[0].bytes() as usize];
        let (mut scales, mut sums) = (Vec::new(), Vec::new());
        for (output, row) in rows.chunks_exact(inputs).enumerate() {
            let QuantizedRow { values, scale } = QuantizedRow::new(row);
            scales.push(scale);
            sums.push(values.iter().map(|&value| i32::from(value)).sum());
            for (input, value) in values.into_iter().enumerate() {
                packed[int8::packed_index(output, input, inputs)] = value.cast_unsigned();
            }
        }
        self.write(&mut tensors[0], &packed)?;
        self.write(&mut tensors[1], &bytes(&scales, f32::to_le_bytes))?;
        self.write(&mut tensors[2], &bytes(&sums, i32::to_le_bytes))
    }

    fn write(&mut self, tensor: &mut Tensor, data: &[u8]) -> Result<(), Error> {
        self.begin(tensor)?;
        self.append(tensor, data)
    }

    /// Goes to where the data of a tensor begins.
    fn begin(&mut self, tensor: &Tensor) -> Result<(), Error> {
        if tensor.external_data.is_empty() {
            return Ok(());
        }
        self.write_to_file(|file| {
            let end = file.stream_position()?;
            file.seek(SeekFrom::Start(next_offset(end))).map(|_| ())
        })
    }

    fn append(&mut self, tensor: &mut Tensor, data: &[u8]) -> Result<(), Error> {
        if tensor.external_data.is_empty() {
            tensor.raw_data.get_or_insert_default().extend(data);
            return Ok(());
        }
        self.write_to_file(|file| file.write_all(data))
    }

    fn write_to_file(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), Error> {
        write(&mut self.file).map_err(Error::writing(self.path))
    }
}

/// The table of word embeddings.
pub fn words(checkpoint: &Checkpoint) -> Result<safetensors::Tensor<'_>, Error> {
    let architecture = &checkpoint.architecture;
    let shape = [architecture.vocabulary, architecture.hidden.get()];
    checkpoint.find(WORD_EMBEDDINGS, &shape)
}

/// The table of position embeddings, with the embedding of token type 0 added.
pub fn positions(checkpoint: &Checkpoint) -> Result<Vec<f32>, Error> {
    let hidden = checkpoint.architecture.hidden.get();
    let rows = checkpoint.architecture.position_rows;
    let name = |table| [format!("embeddings.{table}_embeddings.weight")];
    let mut positions = read(checkpoint, &name("position"), &[rows, hidden])?;
    let types = [checkpoint.token_types, hidden];
    let types = read(checkpoint, &name("token_type"), &types)?;
    for position in positions.chunks_exact_mut(hidden) {
        for (component, added) in position.iter_mut().zip(&types) {
            *component += added;
        }
    }
    Ok(positions)
}

/// The rows of a layer's matrices.
pub fn matrices(checkpoint: &Checkpoint, linear: &Linear) -> Result<Vec<f32>, Error> {
    let parts = with_suffix(&linear.parts, "weight");
    read(checkpoint, &parts, &[linear.outputs, linear.inputs])
}

/// The values of the checkpoint's tensors with these names, all of the same shape, one after the other.
fn read(checkpoint: &Checkpoint, names: &[String], shape: &[usize]) -> Result<Vec<f32>, Error> {
    let mut values = Vec::new();
    for name in names {
        values.extend(checkpoint.read(name, shape)?);
    }
    Ok(values)
}

/// The bytes of weights in fp16 or fp32.
fn stored(weights: &[f32], precision: Precision) -> Vec<u8> {
    match precision {
        Precision::Fp16 => bytes(&halves::rounded(weights), f16::to_le_bytes),
        Precision::Fp32 | Precision::Int8 => bytes(weights, f32::to_le_bytes),
    }
}

fn bytes<T: Copy, const N: usize>(values: &[T], encode: fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| encode(value)).collect()
}
