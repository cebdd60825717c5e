//! The check of a model directory's graph, made once when the directory is loaded.
//!
//! Owns the rule that nothing in a graph of our own reaches an operator unchecked: the file holds exactly what the exporter
//! writes, every tensor has the size and place that the exporter gives it, and every node gets what its operator takes.
//! Operators may rely on it, and repeat only what costs nothing. A graph of another exporter is left to ONNX Runtime, and
//! does not get our operators.

mod error;
mod node;
mod nodes;
mod tensors;
mod value;

use prost::Message;

use crate::external_data::EXTERNAL_DATA_FILE;
use crate::onnx::{Graph, Model, OperatorSet, STANDARD_OPSET};
use crate::{Description, Error, ModelDirectory, file, operators};
pub use error::GraphError;

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
    let bytes = file::read(&directory.graph)?;
    let refuse = |source| Error::Graph {
        path: directory.graph.clone(),
        source,
    };
    let header = Header::decode(bytes.as_slice()).map_err(|error| refuse(error.into()))?;
    let uses_operators = |opset: &OperatorSet| opset.domain == operators::DOMAIN;
    if !header.opset_import.iter().any(uses_operators) {
        return Ok(Origin::Foreign);
    }
    let weights = directory.graph.with_file_name(EXTERNAL_DATA_FILE);
    let length = file::metadata(&weights)?.len();
    check_own(&bytes, length, &directory.description).map_err(refuse)?;
    Ok(Origin::Own)
}

fn check_own(
    bytes: &[u8],
    weights_length: u64,
    description: &Description,
) -> Result<(), GraphError> {
    let model = Model::decode(bytes)?;
    // Whatever these messages do not describe is lost on the way, so equal bytes prove that nothing else is there.
    if model.encode_to_vec() != bytes {
        return Err(GraphError::Unknown);
    }
    let versions = model
        .opset_import
        .iter()
        .map(|opset| (opset.domain.as_str(), opset.version));
    if !versions.eq([("", STANDARD_OPSET), (operators::DOMAIN, 1)]) {
        return Err(GraphError::Structure(
            "its operator sets are not those that the exporter writes".to_owned(),
        ));
    }
    let graph = model
        .graph
        .as_ref()
        .filter(|graph| !graph.node.is_empty())
        .ok_or_else(|| GraphError::Structure("it has no nodes".to_owned()))?;
    check_graph(graph, weights_length, description)
}

fn check_graph(
    graph: &Graph,
    weights_length: u64,
    description: &Description,
) -> Result<(), GraphError> {
    let constants = tensors::check(&graph.initializer, weights_length)?;
    nodes::check(graph, constants, description)
}
