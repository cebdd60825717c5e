//! Building an ONNX graph node by node.
//!
//! Owns the list of nodes and the small constants; the data of large weights are [`super::external_data_writer`]. A node has the
//! name of its first output, so a profile of ONNX Runtime reads like the source that built the graph.

use crate::onnx::{
    Attribute, AttributeType, Dimension, DimensionValue, ElementType, Graph, IR_VERSION, Model,
    Node, OperatorSet, STANDARD_OPSET, Shape, Tensor, TensorType, Type, ValueInfo,
};
use crate::operators;

/// The name of a value that one node outputs and others take as input.
pub type ValueName = String;

/// A graph under construction.
#[derive(Default)]
pub struct GraphBuilder {
    nodes: Vec<Node>,
    initializers: Vec<Tensor>,
}

/// One node: its operator, inputs and attributes. Its outputs are named when it is added to a graph.
pub struct Operation {
    node: Node,
}

impl Operation {
    /// An operator of the ONNX standard.
    pub fn standard(operator: &str, inputs: &[&str]) -> Self {
        Self {
            node: Node {
                input: inputs.iter().map(|&input| input.to_owned()).collect(),
                op_type: operator.to_owned(),
                ..Node::default()
            },
        }
    }

    /// An operator of a custom domain.
    pub fn custom(domain: &str, operator: &str, inputs: &[&str]) -> Self {
        let mut operation = Self::standard(operator, inputs);
        operation.node.domain = domain.to_owned();
        operation
    }

    /// Adds an integer attribute.
    pub fn integer(self, name: &str, value: i64) -> Self {
        self.attribute(name, AttributeType::Int, |attribute| {
            attribute.i = Some(value)
        })
    }

    /// Adds a float attribute.
    pub fn float(self, name: &str, value: f32) -> Self {
        self.attribute(name, AttributeType::Float, |attribute| {
            attribute.f = Some(value)
        })
    }

    fn attribute(
        mut self,
        name: &str,
        r#type: AttributeType,
        set: impl FnOnce(&mut Attribute),
    ) -> Self {
        let mut attribute = Attribute {
            name: name.to_owned(),
            r#type: r#type.into(),
            ..Attribute::default()
        };
        set(&mut attribute);
        self.node.attribute.push(attribute);
        self
    }

    fn named(mut self, outputs: &[&str]) -> Node {
        self.node.name = outputs[0].to_owned();
        self.node.output = outputs.iter().map(|&output| output.to_owned()).collect();
        self.node
    }
}

impl GraphBuilder {
    /// Adds a node with one output and returns the output's name.
    pub fn add(&mut self, output: &str, operation: Operation) -> ValueName {
        self.nodes.push(operation.named(&[output]));
        output.to_owned()
    }

    /// Adds a node with several outputs and returns their names.
    pub fn add_with_outputs<const N: usize>(
        &mut self,
        outputs: [&str; N],
        operation: Operation,
    ) -> [ValueName; N] {
        self.nodes.push(operation.named(&outputs));
        outputs.map(str::to_owned)
    }

    /// Adds a constant of integers.
    pub fn integers(&mut self, name: &str, dims: &[i64], values: &[i64]) -> ValueName {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.constant(name, ElementType::Int64, dims, bytes)
    }

    /// Adds a scalar constant.
    pub fn scalar(&mut self, name: &str, value: f32) -> ValueName {
        self.constant(name, ElementType::Float, &[], value.to_le_bytes().to_vec())
    }

    fn constant(
        &mut self,
        name: &str,
        element: ElementType,
        dims: &[i64],
        bytes: Vec<u8>,
    ) -> ValueName {
        self.initializers.push(Tensor {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: element.into(),
            raw_data: Some(bytes),
            ..Tensor::default()
        });
        name.to_owned()
    }

    /// Adds a weight, whose data may be external.
    pub fn weight(&mut self, tensor: Tensor) -> ValueName {
        let name = tensor.name.clone();
        self.initializers.push(tensor);
        name
    }

    /// The finished graph as a model.
    pub fn finish(self, name: &str, inputs: Vec<ValueInfo>, outputs: Vec<ValueInfo>) -> Model {
        let opset = |domain: &str, version| OperatorSet {
            domain: domain.to_owned(),
            version,
        };
        Model {
            ir_version: IR_VERSION,
            producer_name: "runpod-query".to_owned(),
            graph: Some(Graph {
                name: name.to_owned(),
                node: self.nodes,
                initializer: self.initializers,
                input: inputs,
                output: outputs,
            }),
            opset_import: vec![opset("", STANDARD_OPSET), opset(operators::DOMAIN, 1)],
        }
    }
}

/// Size of one dimension of a graph's input or output.
#[derive(Clone, Copy)]
pub enum DimensionSize {
    /// The same in every run.
    Fixed(usize),
    /// Different from run to run, by its name.
    Named(&'static str),
}

/// Declares an input or output of a graph.
pub fn value_info(name: &str, element: ElementType, sizes: &[DimensionSize]) -> ValueInfo {
    let dimension = |size: &DimensionSize| Dimension {
        value: Some(match size {
            DimensionSize::Fixed(size) => DimensionValue::Fixed(*size as i64),
            DimensionSize::Named(name) => DimensionValue::Named((*name).to_owned()),
        }),
    };
    let shape = Some(Shape {
        dim: sizes.iter().map(dimension).collect(),
    });
    ValueInfo {
        name: name.to_owned(),
        r#type: Some(Type {
            tensor_type: Some(TensorType {
                elem_type: element.into(),
                shape,
            }),
        }),
    }
}
