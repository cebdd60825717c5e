//! The tensors and nodes that all parts of a graph are made of, in the precision of its weights.

use kernels::gemm::int8::GROUP;
use kernels::gemm::{PANEL, panel_count};

use super::builder::{GraphBuilder, ValueName};
use super::{Architecture, Linear, WeightPrecision, Weights};
use crate::onnx::ElementType::{Float, Float16, Int8, Int32};
use crate::onnx::{ElementType, Node};
use crate::operators::{form, name};
use crate::precision::Precision;

/// A graph that is being written.
pub(super) struct GraphWriter<'a> {
    pub(super) precision: WeightPrecision<'a>,
    pub(super) graph: GraphBuilder,
    pub(super) architecture: &'a Architecture,
    pub(super) hidden: usize,
}

/// The input of a matrix multiplication: floats, or quantized bytes and the quantization of each row.
pub(super) type Activations = Vec<ValueName>;

/// What one half of a layer hands to the next: floats for the residual connection, and the same as activations.
pub(super) struct HiddenStates {
    pub(super) floats: ValueName,
    pub(super) activations: Activations,
}

impl GraphWriter<'_> {
    /// Multiplies `tokens` with a linear layer's weights and adds its bias. Gives panels.
    pub(super) fn linear(&mut self, linear: Linear, tokens: &Activations) -> ValueName {
        let (name, precision) = (linear.name.clone(), linear.precision);
        let outputs = linear.outputs * linear.parts.len();
        let (panels, inputs) = (panel_count(outputs), linear.inputs);
        let bias = Weights::Vectors {
            parts: with_suffix(&linear.parts, "bias"),
            length: linear.outputs,
        };
        let weights = Weights::Matrices(linear);
        let [weight, scale, sum, bias_name] =
            ["weight", "scale", "sum", "bias"].map(|part| format!("{name}.{part}"));
        let mut names: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let operator = match precision {
            Precision::Fp16 | Precision::Fp32 => {
                let shape = [panels, inputs, PANEL];
                let tensor: (&str, _, &[usize]) = (&weight, float(precision), &shape);
                self.graph.weights(weights, &[tensor]);
                names.push(&weight);
                match precision {
                    Precision::Fp16 => name::HALF_LINEAR,
                    Precision::Fp32 | Precision::Int8 => name::LINEAR,
                }
            }
            Precision::Int8 => {
                let shape = [panels, inputs / GROUP, PANEL, GROUP];
                let tensors: [(&str, _, &[usize]); 3] = [
                    (&weight, Int8, &shape),
                    (&scale, Float, &[outputs]),
                    (&sum, Int32, &[outputs]),
                ];
                self.graph.weights(weights, &tensors);
                names.extend(tensors.map(|(name, ..)| name));
                name::QUANTIZED_LINEAR
            }
        };
        self.graph.weights(bias, &[(&bias_name, Float, &[outputs])]);
        names.push(&bias_name);
        let node = Node::new(operator, &names);
        self.graph.add(&format!("{name}.product"), node)
    }

    /// Scale and shift of the layer normalization with this name in the checkpoint.
    pub(super) fn normalization(&mut self, checkpoint_name: &str) -> [ValueName; 2] {
        let name = graph_name(checkpoint_name);
        [("weight", "scale"), ("bias", "shift")].map(|(part, graph_part)| {
            let weights = Weights::Vectors {
                parts: vec![format!("{checkpoint_name}.{part}")],
                length: self.hidden,
            };
            let name = format!("{name}.{graph_part}");
            let width = self.hidden;
            self.graph.weights(weights, &[(&name, Float, &[width])]);
            name
        })
    }

    /// A node of the graph's precision, of the operator that gives floats or the one that quantizes.
    pub(super) fn node(&self, operators: [&'static str; 2], inputs: &[&str]) -> Node {
        let operator = form(operators, self.is_quantized());
        Node::new(operator, inputs)
    }

    /// Adds a node whose result a residual connection needs, too.
    pub(super) fn add_hidden_states(&mut self, name: &str, node: Node) -> HiddenStates {
        let floats = name.to_owned();
        let activations = self.activations(name);
        let outputs = if self.is_quantized() {
            [std::slice::from_ref(&floats), &activations].concat()
        } else {
            activations.clone()
        };
        self.graph.add_with_outputs(node, outputs);
        HiddenStates {
            floats,
            activations,
        }
    }

    /// Adds a node whose result only a matrix multiplication needs.
    pub(super) fn add_activations(&mut self, name: &str, node: Node) -> Activations {
        let activations = self.activations(name);
        self.graph.add_with_outputs(node, activations.clone());
        activations
    }

    /// Names of the tensors that a matrix multiplication takes: in int8 the bytes, and the quantization of each row.
    fn activations(&self, name: &str) -> Activations {
        if self.is_quantized() {
            ["bytes", "rounding"]
                .map(|part| format!("{name}.{part}"))
                .into()
        } else {
            vec![name.to_owned()]
        }
    }

    /// Whether matrix multiplications take quantized rows.
    fn is_quantized(&self) -> bool {
        self.precision.precision == Precision::Int8
    }
}

/// The element type of weights that are floats: halves in fp16.
pub(super) fn float(precision: Precision) -> ElementType {
    match precision {
        Precision::Fp16 => Float16,
        Precision::Fp32 | Precision::Int8 => Float,
    }
}

/// Names of a parameter of several layers.
pub fn with_suffix(layers: &[String], parameter: &str) -> Vec<String> {
    let name = |layer| format!("{layer}.{parameter}");
    layers.iter().map(name).collect()
}

/// The name in the graph of a part of the checkpoint: the same without the prefix that all layers have.
pub(super) fn graph_name(checkpoint_name: &str) -> &str {
    checkpoint_name.trim_start_matches("encoder.")
}
