//! Building an ONNX graph node by node.
//!
//! Owns the places of tensors. Large ones are in a file beside the graph, in the order of the graph. Each begins at a page
//! boundary, so that ONNX Runtime can map the file instead of reading it. A node has the name of its first output, so a
//! profile of ONNX Runtime reads like the source that built the graph.

use super::{Layout, Weights};
use crate::onnx::{
    Attribute, AttributeType, DataLocation, Dimension, DimensionValue, ElementType, Graph,
    IR_VERSION, Model, Node, OperatorSet, STANDARD_OPSET, Shape, StringEntry, Tensor, TensorType,
    Type, ValueInfo,
};
use crate::operators;

/// File name of the weights in a model directory.
pub const EXTERNAL_DATA_FILE: &str = "model.onnx.data";
/// ONNX asks that mapped tensors begin at multiples of the page size.
const PAGE_BYTES: u64 = 4096;
/// Tensors below this size are in the graph itself.
const INLINE_BYTES: u64 = 64 * 1024;

/// Where the tensor begins that follows one which ends at `end`. Beyond every file it is the greatest offset.
pub fn next_offset(end: u64) -> u64 {
    end.checked_next_multiple_of(PAGE_BYTES).unwrap_or(u64::MAX)
}

/// The name of a value that one node outputs and others take as input.
pub type ValueName = String;

/// A graph under construction.
#[derive(Default)]
pub struct GraphBuilder(Layout);

impl Graph {
    /// The graph as a model of its own.
    pub fn into_model(self) -> Model {
        let opset = |domain: &str, version| OperatorSet {
            domain: domain.to_owned(),
            version,
        };
        Model {
            ir_version: IR_VERSION,
            producer_name: "runpod-query".to_owned(),
            graph: Some(self),
            opset_import: vec![opset("", STANDARD_OPSET), opset(operators::DOMAIN, 1)],
        }
    }
}

impl Node {
    /// A node of one of our operators, without outputs.
    pub fn new(operator: &str, inputs: &[&str]) -> Self {
        Self {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            op_type: operator.to_owned(),
            domain: operators::DOMAIN.to_owned(),
            ..Self::default()
        }
    }

    /// Adds an integer attribute.
    pub fn integer(mut self, name: &str, value: i64) -> Self {
        self.attribute.push(Attribute {
            name: name.to_owned(),
            r#type: AttributeType::Int.into(),
            i: Some(value),
            ..Attribute::default()
        });
        self
    }

    /// Adds a float attribute.
    pub fn float(mut self, name: &str, value: f32) -> Self {
        self.attribute.push(Attribute {
            name: name.to_owned(),
            r#type: AttributeType::Float.into(),
            f: Some(value),
            ..Attribute::default()
        });
        self
    }
}

impl GraphBuilder {
    /// Adds a node with these outputs, of which there is at least one.
    pub fn add_with_outputs(&mut self, mut node: Node, outputs: Vec<ValueName>) {
        node.name.clone_from(&outputs[0]);
        node.output = outputs;
        self.0.graph.node.push(node);
    }

    /// Adds a node with one output and returns the output's name.
    pub fn add(&mut self, output: &str, node: Node) -> ValueName {
        self.add_with_outputs(node, vec![output.to_owned()]);
        output.to_owned()
    }

    /// Adds the tensors of some weights.
    pub fn weights(&mut self, weights: Weights, tensors: &[(&str, ElementType, &[usize])]) {
        let first = self.0.graph.initializer.len();
        for (name, element, shape) in tensors {
            let mut tensor = tensor(name, *element, shape);
            self.place(&mut tensor);
            self.0.graph.initializer.push(tensor);
        }
        let range = first..self.0.graph.initializer.len();
        self.0.weights.push((weights, range));
    }

    /// Gives a large tensor its place in the file of weights.
    fn place(&mut self, tensor: &mut Tensor) {
        let length = tensor.bytes();
        if length < INLINE_BYTES {
            return;
        }
        let offset = next_offset(self.0.external_bytes);
        self.0.external_bytes = offset.saturating_add(length);
        tensor.data_location = DataLocation::External.into();
        tensor.external_data = [
            ("location", EXTERNAL_DATA_FILE.to_owned()),
            ("offset", offset.to_string()),
            ("length", length.to_string()),
        ]
        .map(|(key, value)| StringEntry {
            key: key.to_owned(),
            value,
        })
        .into();
    }

    /// The finished graph.
    pub fn finish(mut self, name: &str, inputs: Vec<ValueInfo>, outputs: Vec<ValueInfo>) -> Layout {
        self.0.graph.name = name.to_owned();
        self.0.graph.input = inputs;
        self.0.graph.output = outputs;
        self.0
    }
}

fn tensor(name: &str, element: ElementType, shape: &[usize]) -> Tensor {
    Tensor {
        name: name.to_owned(),
        dims: shape.iter().map(|&size| size as i64).collect(),
        data_type: element.into(),
        ..Tensor::default()
    }
}

/// Declares an input or output of a graph.
pub fn value_info(name: &str, element: ElementType, shape: &[DimensionValue]) -> ValueInfo {
    let dimension = |value: &DimensionValue| Dimension {
        value: Some(value.clone()),
    };
    ValueInfo {
        name: name.to_owned(),
        r#type: Some(Type {
            tensor_type: Some(TensorType {
                elem_type: element.into(),
                shape: Some(Shape {
                    dim: shape.iter().map(dimension).collect(),
                }),
            }),
        }),
    }
}
