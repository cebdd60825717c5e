//! The values of a graph's weights: read from a checkpoint, prepacked, and written to the model directory.
//!
//! A tensor enters the graph only if the checkpoint has it in exactly the shape that the architecture prescribes. Matrices
//! are written in the layout that the kernels read, so a server maps them and never makes a copy of its own.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use kernels::gemm::{fp32, int8};

use super::checkpoint::{Checkpoint, WORD_EMBEDDINGS};
use super::error::Error;
use super::quantization::QuantizedRow;
use crate::graph::{EXTERNAL_DATA_FILE, Layout, Linear, Weights, next_offset, with_suffix};
use crate::onnx::{Graph, Tensor};
use crate::precision::Precision;

/// Writes the weights of a graph: small ones into the graph, which is returned, the others into a file in `directory`.
pub fn write(
    layout: Layout,
    checkpoint: &Checkpoint,
    precision: Precision,
    directory: &Path,
) -> Result<Graph, Error> {
    let path = directory.join(EXTERNAL_DATA_FILE);
    let file = File::create(&path).map_err(Error::writing(&path))?;
    let mut writer = WeightWriter {
        checkpoint,
        precision,
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
    precision: Precision,
    path: &'a Path,
    file: BufWriter<File>,
}

impl WeightWriter<'_> {
    fn write_weights(&mut self, weights: &Weights, tensors: &mut [Tensor]) -> Result<(), Error> {
        match weights {
            Weights::Words => self.write_words(tensors),
            Weights::Positions => {
                let positions = self.positions()?;
                self.write(&mut tensors[0], &bytes(&positions, f32::to_le_bytes))
            }
            Weights::Vectors { parts, length } => {
                let vectors = self.read(parts, &[*length])?;
                self.write(&mut tensors[0], &bytes(&vectors, f32::to_le_bytes))
            }
            Weights::Matrices(linear) => {
                let parts = with_suffix(&linear.parts, "weight");
                let rows = self.read(&parts, &[linear.outputs, linear.inputs])?;
                match self.precision {
                    Precision::Fp32 => self.write_packed(linear.inputs, &rows, &mut tensors[0]),
                    Precision::Int8 => self.write_quantized(linear, &rows, tensors),
                }
            }
        }
    }

    /// The table is the largest tensor by far, and is copied a few rows at a time.
    fn write_words(&mut self, tensors: &mut [Tensor]) -> Result<(), Error> {
        let checkpoint = self.checkpoint;
        let architecture = &checkpoint.architecture;
        let columns = architecture.hidden.get();
        let shape = [architecture.vocabulary, columns];
        let table = checkpoint.find(WORD_EMBEDDINGS, &shape)?;
        let mut scales = Vec::new();
        self.begin(&tensors[0])?;
        for chunk in table.row_chunks() {
            let rows = chunk.read()?;
            let data: Vec<u8> = match self.precision {
                Precision::Fp32 => bytes(&rows, f32::to_le_bytes),
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
        match self.precision {
            Precision::Fp32 => Ok(()),
            Precision::Int8 => self.write(&mut tensors[1], &bytes(&scales, f32::to_le_bytes)),
        }
    }

    fn positions(&self) -> Result<Vec<f32>, Error> {
        let hidden = self.checkpoint.architecture.hidden.get();
        let rows = self.checkpoint.architecture.position_rows;
        let types = self.checkpoint.token_types;
        let name = |table| [format!("embeddings.{table}_embeddings.weight")];
        let mut positions = self.read(&name("position"), &[rows, hidden])?;
        let types = self.read(&name("token_type"), &[types, hidden])?;
        for position in positions.chunks_exact_mut(hidden) {
            for (component, added) in position.iter_mut().zip(&types) {
                *component += added;
            }
        }
        Ok(positions)
    }

    fn write_packed(
        &mut self,
        inputs: usize,
        rows: &[f32],
        tensor: &mut Tensor,
    ) -> Result<(), Error> {
        let mut packed = vec![0.0_f32; tensor.bytes() as usize / size_of::<f32>()];
        for (output, row) in rows.chunks_exact(inputs).enumerate() {
            for (input, &weight) in row.iter().enumerate() {
                packed[fp32::packed_index(output, input, inputs)] = weight;
            }
        }
        self.write(tensor, &bytes(&packed, f32::to_le_bytes))
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

    /// The values of the checkpoint's tensors with these names, all of the same shape, one after the other.
    fn read(&self, names: &[String], shape: &[usize]) -> Result<Vec<f32>, Error> {
        let mut values = Vec::new();
        for name in names {
            values.extend(self.checkpoint.find(name, shape)?.read()?);
        }
        Ok(values)
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

fn bytes<T: Copy, const N: usize>(values: &[T], encode: fn(T) -> [u8; N]) -> Vec<u8> {
    values.iter().flat_map(|&value| encode(value)).collect()
}
