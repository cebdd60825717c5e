//! A `model.safetensors` of random tensors, written in chunks of bounded size.

use std::io::{self, Write};

use serde_json::{Map, json};

use super::size::Tensor;
use crate::random::Stream;

/// Standard deviation of the weights: with about a thousand inputs, outputs vary as much as inputs.
const DEVIATION: f32 = 0.03;
const CHUNK_FLOATS: usize = 1 << 16;
const FLOAT_BYTES: usize = size_of::<f32>();
/// The format's alignment of the data.
const ALIGNMENT_BYTES: usize = 8;

/// Writes the header and all tensors.
pub fn write(sink: &mut dyn Write, tensors: &[Tensor]) -> io::Result<()> {
    let header = header(tensors);
    sink.write_all(&(header.len() as u64).to_le_bytes())?;
    sink.write_all(header.as_bytes())?;
    for (number, tensor) in tensors.iter().enumerate() {
        write_values(sink, tensor, Stream::new(number as u64))?;
    }
    Ok(())
}

fn header(tensors: &[Tensor]) -> String {
    let mut entries = Map::new();
    entries.insert("__metadata__".to_owned(), json!({"format": "pt"}));
    let mut end = 0;
    for tensor in tensors {
        let start = end;
        end += count(tensor) * FLOAT_BYTES;
        let entry = json!({"dtype": "F32", "shape": tensor.shape, "data_offsets": [start, end]});
        entries.insert(tensor.name.clone(), entry);
    }
    let mut header = serde_json::Value::Object(entries).to_string();
    let padding = header.len().next_multiple_of(ALIGNMENT_BYTES) - header.len();
    header.push_str(&" ".repeat(padding));
    header
}

fn write_values(sink: &mut dyn Write, tensor: &Tensor, stream: Stream) -> io::Result<()> {
    let mean = if tensor.name.ends_with("LayerNorm.weight") {
        1.0
    } else {
        0.0
    };
    let count = count(tensor);
    let mut chunk = Vec::with_capacity(CHUNK_FLOATS * FLOAT_BYTES);
    for start in (0..count).step_by(CHUNK_FLOATS) {
        chunk.clear();
        for index in start..count.min(start + CHUNK_FLOATS) {
            let value = mean + DEVIATION * stream.normal(index as u64);
            chunk.extend_from_slice(&value.to_le_bytes());
        }
        sink.write_all(&chunk)?;
    }
    Ok(())
}

fn count(tensor: &Tensor) -> usize {
    tensor.shape.iter().product()
}

#[cfg(test)]
mod tests {
    use safetensors::SafeTensors;

    use super::*;
    use crate::synthetic::Size;

    #[test]
    fn the_file_is_valid_and_normalization_scales_are_about_one() {
        let mut bytes = Vec::new();
        write(&mut bytes, &Size::SMALL.tensors()).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.len(), Size::SMALL.tensors().len());
        for (name, smallest, largest) in [
            ("embeddings.LayerNorm.weight", 0.85, 1.15),
            ("embeddings.LayerNorm.bias", -0.15, 0.15),
            ("encoder.layer.1.output.dense.weight", -0.15, 0.15),
        ] {
            let tensor = tensors.tensor(name).unwrap();
            for value in tensor.data().as_chunks().0 {
                let value = f32::from_le_bytes(*value);
                assert!((smallest..largest).contains(&value), "{name}: {value}");
            }
        }
    }
}
