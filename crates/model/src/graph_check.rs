//! The check of a model directory's graph, made once when the directory is loaded.
//!
//! Owns the rule that a graph of our own is, byte for byte, the one that the exporter writes for its sizes; only the
//! values of its weights may be any. So every operator gets what it takes, and operators repeat only the checks that cost
//! nothing. A graph of another exporter is left to ONNX Runtime, and does not get our operators.

use std::fmt::Debug;

use kernels::gemm::int8;
use prost::Message;

use crate::graph::{Architecture, EXTERNAL_DATA_FILE, POSITIONS, WORDS, layout};
use crate::onnx::{Graph, Model, Node, OperatorSet, Tensor};
use crate::operators::{DOMAIN, name};
use crate::{Description, Error, ModelDirectory, Precision, file};

/// No size of a model is larger, so that no product of two overflows.
const LARGEST_SIZE: i64 = i32::MAX as i64;

/// Why a graph of our own domain is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The file is not an ONNX graph.
    #[error("it is not a valid ONNX graph")]
    Decode(#[from] prost::DecodeError),
    /// The file has fields that the exporter never writes.
    #[error("it holds more than the exporter writes")]
    Unknown,
    /// The exporter writes no graph of such sizes for this description.
    #[error("{0}")]
    Size(String),
    /// A part is not the one that the exporter writes for these sizes.
    #[error("{part} {why}")]
    Different {
        /// The tensor, the node, or what else it is.
        part: String,
        /// What is different.
        why: String,
    },
    /// The file of weights is longer or shorter than its tensors.
    #[error(
        "its weights take {expected} bytes, and their file has {found}: it is truncated or damaged"
    )]
    WeightsLength {
        /// Bytes up to the end of the last tensor.
        expected: u64,
        /// Bytes of the file.
        found: u64,
    },
}

/// Who wrote a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Our exporter: it uses our operators and has passed the check.
    Own,
    /// Another exporter: it uses only standard operators.
    Foreign,
}

/// The part of a model that tells whose it is. Everything else is skipped and not copied.
#[derive(Clone, PartialEq, Message)]
struct Header {
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<OperatorSet>,
}

/// Checks the graph of a model directory, and tells who wrote it.
pub fn check(directory: &ModelDirectory) -> Result<Origin, Error> {
    let path = &directory.graph;
    let bytes = file::read(path)?;
    let refuse = |source| Error::Graph {
        path: path.clone(),
        source,
    };
    let header = Header::decode(bytes.as_slice()).map_err(|error| refuse(error.into()))?;
    if header
        .opset_import
        .iter()
        .all(|opset| opset.domain != DOMAIN)
    {
        return Ok(Origin::Foreign);
    }
    let weights = path.with_file_name(EXTERNAL_DATA_FILE);
    let length = file::length(&weights)?;
    check_own(&bytes, length, &directory.description).map_err(refuse)?;
    Ok(Origin::Own)
}

fn check_own(bytes: &[u8], weights: u64, description: &Description) -> Result<(), GraphError> {
    let found = Model::decode(bytes)?.graph.unwrap_or_default();
    let architecture = architecture(&found, description)?;
    let layout = layout(
        &architecture,
        description.pooling,
        description.weight_precision(),
    );
    let mut expected = layout.graph;
    for index in layout.weights.into_iter().flat_map(|(_, tensors)| tensors) {
        expected.initializer[index].take_data(found.initializer.get(index));
    }
    compare(&found.initializer, &expected.initializer, Tensor::parts)?;
    compare(&found.node, &expected.node, Node::parts)?;
    compare(&[found], std::slice::from_ref(&expected), Graph::parts)?;
    // Whatever these messages do not describe is lost on the way, so equal bytes prove that nothing else is there.
    if expected.into_model().encode_to_vec() != bytes {
        return Err(GraphError::Unknown);
    }
    if layout.external_bytes != weights {
        return Err(GraphError::WeightsLength {
            expected: layout.external_bytes,
            found: weights,
        });
    }
    Ok(())
}

/// The sizes of the model that a graph computes, as it and its description give them.
fn architecture(graph: &Graph, description: &Description) -> Result<Architecture, GraphError> {
    let attribute = |operators: &[&str], name: &str| {
        let mut nodes = graph.node.iter();
        let node = nodes.find(|node| operators.contains(&node.op_type.as_str()))?;
        node.attribute
            .iter()
            .find(|attribute| attribute.name == name)
    };
    let rows = |name| {
        let tensor = graph
            .initializer
            .iter()
            .find(|tensor| tensor.name == name)?;
        tensor.dims.first().copied()
    };
    let integer = |operators: &[&str], name| attribute(operators, name).and_then(|found| found.i);
    let epsilon = attribute(&name::EMBED_TOKENS, "epsilon").and_then(|found| found.f);
    let layers = graph.node.iter();
    let layers = layers.filter(|node| name::GELU.contains(&node.op_type.as_str()));
    let architecture = Architecture {
        first_position: (size("padding_id", integer(&name::EMBED_TOKENS, "padding_id"), -1)? + 1)
            as usize,
        hidden: description.dimensions,
        intermediate: size("width of GELU", integer(&name::GELU, "width"), 1)? as usize,
        layers: size("number of layers", Some(layers.count() as i64), 1)? as usize,
        attention_heads: size("number of heads", integer(&name::ATTENTION, "heads"), 1)? as usize,
        vocabulary: size("number of words", rows(WORDS), 1)? as usize,
        position_rows: size("number of positions", rows(POSITIONS), 1)? as usize,
        epsilon: epsilon.unwrap_or(f32::NAN),
        output_heads: description.output_heads(),
    };
    let hidden = description.dimensions.get();
    let max_tokens = description.max_tokens;
    let colbert = architecture.output_heads.colbert;
    let inputs = [hidden, architecture.intermediate];
    let why =
        if hidden > LARGEST_SIZE as usize || !hidden.is_multiple_of(architecture.attention_heads) {
            format!(
                "{} heads do not divide {hidden} dimensions",
                architecture.attention_heads
            )
        } else if let Some(size) = colbert.filter(|size| size.get() > LARGEST_SIZE as usize) {
            format!("its ColBERT vectors have {size} floats, more than {LARGEST_SIZE}")
        } else if max_tokens.get() > architecture.token_limit() {
            format!(
                "{} positions from {} on are too few for {max_tokens} tokens",
                architecture.position_rows, architecture.first_position
            )
        } else if !(0.0..1.0).contains(&architecture.epsilon) {
            format!("epsilon is {}, not between 0 and 1", architecture.epsilon)
        } else if description.precision == Precision::Int8 && !inputs.into_iter().all(int8::fits) {
            format!("rows of {inputs:?} bytes cannot be multiplied")
        } else {
            return Ok(architecture);
        };
    Err(GraphError::Size(why))
}

fn size(what: &str, found: Option<i64>, least: i64) -> Result<i64, GraphError> {
    match found {
        Some(size) if (least..=LARGEST_SIZE).contains(&size) => Ok(size),
        Some(size) => Err(GraphError::Size(format!(
            "its {what} is {size}, not between {least} and {LARGEST_SIZE}"
        ))),
        None => Err(GraphError::Size(format!("it has no {what}"))),
    }
}

/// The first part that is not the one expected is an error that says what about it is different.
fn compare<T: PartialEq, const N: usize>(
    found: &[T],
    expected: &[T],
    parts: impl Fn(&T) -> (String, [(&'static str, String); N]),
) -> Result<(), GraphError> {
    for index in 0..found.len().max(expected.len()) {
        let (found, expected) = (found.get(index), expected.get(index));
        let (part, why) = match (found, expected) {
            (Some(found), Some(expected)) if found != expected => {
                let ((name, found), (_, expected)) = (parts(found), parts(expected));
                let mut pairs = found.into_iter().zip(expected);
                let different = pairs.find(|(found, expected)| found != expected);
                let why = match different {
                    Some(((what, found), (_, expected))) => {
                        format!("has the {what} {found}, not {expected}")
                    }
                    None => "is not what the exporter writes".to_owned(),
                };
                (name, why)
            }
            (Some(found), None) => (parts(found).0, "is one too many".to_owned()),
            (None, Some(expected)) => (parts(expected).0, "is missing".to_owned()),
            (Some(_), Some(_)) | (None, None) => continue,
        };
        return Err(GraphError::Different { part, why });
    }
    Ok(())
}

fn debug(value: &impl Debug) -> String {
    format!("{value:?}")
}

impl Tensor {
    /// Takes the values of a weight that is in the graph itself, if there are as many as its shape says.
    fn take_data(&mut self, found: Option<&Self>) {
        if self.external_data.is_empty() {
            let bytes = self.bytes() as usize;
            let data = found.and_then(|found| found.raw_data.clone());
            let data = data.filter(|data| data.len() == bytes);
            self.raw_data = Some(data.unwrap_or_else(|| vec![0; bytes]));
        }
    }

    fn parts(&self) -> (String, [(&'static str, String); 5]) {
        let data = match self.raw_data.as_deref() {
            None => "none".to_owned(),
            Some(data) => format!("{} bytes", data.len()),
        };
        let place = self.external_data.iter();
        let place = place.map(|entry| format!("{} {}", entry.key, entry.value));
        let parts = [
            ("name", self.name.clone()),
            ("shape", debug(&self.dims)),
            ("element type", debug(&self.data_type)),
            (
                "place",
                debug(&(self.data_location, place.collect::<Vec<_>>())),
            ),
            ("data", data),
        ];
        (format!("tensor {}", self.name), parts)
    }
}

impl Node {
    fn parts(&self) -> (String, [(&'static str, String); 5]) {
        let attributes = self.attribute.iter().map(|attribute| {
            let value = match (attribute.i, attribute.f) {
                (Some(integer), None) => integer.to_string(),
                (None, Some(float)) => float.to_string(),
                (None, None) | (Some(_), Some(_)) => "without one value".to_owned(),
            };
            format!("{} {value}", attribute.name)
        });
        let parts = [
            ("name", self.name.clone()),
            ("operator", format!("{} of {:?}", self.op_type, self.domain)),
            ("inputs", self.input.join(", ")),
            ("outputs", self.output.join(", ")),
            ("attributes", attributes.collect::<Vec<_>>().join(", ")),
        ];
        (format!("node {} ({})", self.name, self.op_type), parts)
    }
}

impl Graph {
    fn parts(&self) -> (String, [(&'static str, String); 3]) {
        let parts = [
            ("name", self.name.clone()),
            ("inputs", debug(&self.input)),
            ("outputs", debug(&self.output)),
        ];
        ("it".to_owned(), parts)
    }
}
