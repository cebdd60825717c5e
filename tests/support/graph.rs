//! Graphs of exported models, to be changed.

use std::path::Path;

use model::GRAPH_FILE;
use prost::Message;

#[path = "../../crates/model/src/onnx.rs"]
#[allow(
    dead_code,
    reason = "the exporter's own messages, of which tests use some"
)]
pub mod onnx;

use onnx::{Attribute, Graph, Model, Node, Tensor};

/// Reads the graph of a model directory, lets `edit` change it, and writes it back.
pub fn edit(directory: &Path, edit: impl FnOnce(&mut Graph)) {
    let path = directory.join(GRAPH_FILE);
    let mut model = Model::decode(std::fs::read(&path).unwrap().as_slice()).unwrap();
    edit(model.graph.as_mut().unwrap());
    std::fs::write(path, model.encode_to_vec()).unwrap();
}

impl Graph {
    /// The first node of an operator.
    pub fn operator(&mut self, operator: &str) -> &mut Node {
        let mut nodes = self.node.iter_mut();
        nodes.find(|node| node.op_type == operator).unwrap()
    }

    /// The first tensor whose name ends so.
    pub fn tensor(&mut self, ending: &str) -> &mut Tensor {
        let mut tensors = self.initializer.iter_mut();
        tensors
            .find(|tensor| tensor.name.ends_with(ending))
            .unwrap()
    }

    /// A tensor in the file of weights, by its order there.
    pub fn external(&mut self, index: usize) -> &mut Tensor {
        let tensors = self.initializer.iter_mut();
        let mut external = tensors.filter(|tensor| !tensor.external_data.is_empty());
        external.nth(index).unwrap()
    }
}

impl Node {
    /// An attribute.
    pub fn attribute(&mut self, name: &str) -> &mut Attribute {
        let mut attributes = self.attribute.iter_mut();
        attributes.find(|attribute| attribute.name == name).unwrap()
    }
}

impl Tensor {
    /// Makes it shorter by one row of its first dimension.
    pub fn shorten(&mut self) {
        let bytes = self.raw_data.as_mut().unwrap();
        bytes.truncate(bytes.len() - bytes.len() / self.dims[0] as usize);
        self.dims[0] -= 1;
    }

    /// The number under a key of its external data.
    pub fn place(&mut self, key: &str) -> &mut String {
        let mut entries = self.external_data.iter_mut();
        &mut entries.find(|entry| entry.key == key).unwrap().value
    }

    /// Moves it in the file of weights.
    pub fn shift(&mut self, bytes: u64) {
        let offset = self.place("offset");
        *offset = (offset.parse::<u64>().unwrap() + bytes).to_string();
    }
}
