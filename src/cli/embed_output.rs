//! Where `embed` writes: JSON lines, or a NumPy array.
//!
//! Lines are on their way to their reader when [`Output::write`] returns. An array states its number of rows first, so it is
//! written at the end.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ndarray::Array2;
use ndarray_npy::WriteNpyExt;
use serde::Serialize;

use super::Failure;
use crate::service::{EncodingFormat, QueryOutput};
use model::Encoded;

/// A line of the output.
#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    #[serde(flatten)]
    outputs: Outputs,
}

/// What a text was turned into.
#[derive(Serialize)]
#[serde(untagged)]
enum Outputs {
    Of(QueryOutput),
    /// Of a blank text.
    None {
        embedding: (),
    },
}

/// The output of `embed`.
pub enum Output {
    /// One line for each text.
    Lines(BufWriter<Box<dyn Write>>),
    /// One row for each text.
    Array {
        /// The file.
        file: BufWriter<File>,
        /// Floats of a row.
        dimensions: usize,
        /// The rows so far.
        floats: Vec<f32>,
    },
}

/// Whether the name of a file asks for an array.
pub fn is_array(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "npy")
}

impl Output {
    /// Opens the file at `path`, for an array if its name ends in `.npy`; without a path it is standard output.
    pub fn open(path: Option<&Path>, dimensions: usize) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self::Lines(BufWriter::new(Box::new(io::stdout().lock()))));
        };
        let file = File::create(path)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        if !is_array(path) {
            return Ok(Self::Lines(BufWriter::new(Box::new(file))));
        }
        Ok(Self::Array {
            file: BufWriter::new(file),
            dimensions,
            floats: Vec::new(),
        })
    }

    /// Writes what the first of `texts` were turned into, as many as `encoded` has; a row without one is NaN, as it is nowhere near any other.
    pub fn write(
        &mut self,
        texts: &[String],
        encoded: Vec<Option<Encoded>>,
    ) -> Result<(), Failure> {
        match self {
            Self::Lines(sink) => {
                for (text, encoded) in texts.iter().zip(encoded) {
                    let outputs = match encoded {
                        Some(encoded) => {
                            Outputs::Of(QueryOutput::new(encoded, EncodingFormat::Float))
                        }
                        None => Outputs::None { embedding: () },
                    };
                    serde_json::to_writer(&mut *sink, &Line { text, outputs })?;
                    sink.write_all(b"\n")?;
                }
                sink.flush()?;
            }
            Self::Array {
                dimensions, floats, ..
            } => {
                for encoded in encoded {
                    let dense = encoded.and_then(|encoded| encoded.dense);
                    floats.extend(dense.unwrap_or_else(|| vec![f32::NAN; *dimensions]));
                }
            }
        }
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Lines(_) => {}
            Self::Array {
                mut file,
                dimensions,
                floats,
            } => {
                let rows = floats.len() / dimensions;
                Array2::from_shape_vec((rows, dimensions), floats)?.write_npy(&mut file)?;
                file.flush()?;
            }
        }
        Ok(())
    }
}
