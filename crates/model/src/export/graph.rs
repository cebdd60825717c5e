//! Building an ONNX graph node by node.
//!
//! Owns the list of nodes and the small constants; the large weights go to [`super::weights`]. Node names are the names
//! of their outputs, so a profile of ONNX Runtime reads like the source that built the graph.

use super::onnx::{
    Attribute, AttributeType, Dimension, DimensionValue, ElementType, Graph, IR_VERSION, Model,
    Node, OperatorSet, STANDARD_OPSET, Shape, Tensor, TensorType, Type, ValueInfo,
};

use crate::operators;

/// The name of a value that flows between nodes.
pub type Value = String;

/// A graph under construction.
#[derive(Default)]
pub struct GraphBuilder {
    nodes: Vec<Node>,
    initializers: Vec<Tensor>,
}

/// One node: operator, its domain, inputs and attributes. The output is named when the node is added.
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

    /// An operator of another domain.
    pub fn of(domain: &str, operator: &str, inputs: &[&str]) -> Self {
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
    /// Adds a node with one output and gives the output's name back.
    pub fn add(&mut self, output: &str, operation: Operation) -> Value {
        self.nodes.push(operation.named(&[output]));
        output.to_owned()
    }

    /// Adds a node with several outputs.
    pub fn add_split<const N: usize>(
        &mut self,
        outputs: [&str; N],
        operation: Operation,
    ) -> [Value; N] {
        self.nodes.push(operation.named(&outputs));
        outputs.map(str::to_owned)
    }

    /// Adds a small constant of integers.
    pub fn integers(&mut self, name: &str, dims: &[i64], values: &[i64]) -> Value {
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.constant(name, ElementType::Int64, dims, bytes)
    }

    /// Adds a small constant float without dimensions.
    pub fn scalar(&mut self, name: &str, value: f32) -> Value {
        self.constant(name, ElementType::Float, &[], value.to_le_bytes().to_vec())
    }

    fn constant(
        &mut self,
        name: &str,
        element: ElementType,
        dims: &[i64],
        bytes: Vec<u8>,
    ) -> Value {
        self.initializers.push(Tensor {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: element.into(),
            raw_data: Some(bytes),
            ..Tensor::default()
        });
        name.to_owned()
    }

    /// Adds a tensor whose data lie in the weights file.
    pub fn weight(&mut self, tensor: Tensor) -> Value {
        let name = tensor.name.clone();
        self.initializers.push(tensor);
        name
    }

    /// Closes the graph.
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

/// One dimension of a declared input or output.
pub enum Size {
    /// Known when the graph is written.
    Fixed(usize),
    /// Known when it is run.
    Named(&'static str),
}

/// Declares an input or output.
pub fn value_info(name: &str, element: ElementType, sizes: &[Size]) -> ValueInfo {
    let dimension = |size: &Size| Dimension {
        value: Some(match size {
            Size::Fixed(size) => DimensionValue::Fixed(*size as i64),
            Size::Named(name) => DimensionValue::Named((*name).to_owned()),
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
