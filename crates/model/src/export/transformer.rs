//! The ONNX graph of a BERT or XLM-RoBERTa encoder, from token ids to unit vectors.
//!
//! Owns the graph's nodes and their order. Sequences are concatenated, without padding: the graph takes their lengths.
//! In fp32, activations are floats. In int8, they are quantized row by row to unsigned bytes, and weights to signed
//! bytes with one scale for each output. With CLS pooling the last layer computes only each sequence's first token.

use super::checkpoint::{Architecture, Checkpoint, Positions};
use super::error::Error;
use super::external_data_writer::ExternalDataWriter;
use super::graph::{DimensionSize, GraphBuilder, Operation, ValueName, value_info};
use super::prepacking::{QuantizedMatrix, prepack, prepack_quantized};
use super::quantization::quantize_table;
use super::weight_source::{Linear, WeightSource, graph_name};
use crate::encoder::{VECTORS_OUTPUT, input};
use crate::onnx::{ElementType, Model};
use crate::operators::{DOMAIN, name};
use crate::precision::Precision;
use crate::sentence_transformers::Pooling;

/// Name of the word embeddings in the graph.
const WORDS: &str = "embeddings.words";
/// As in `torch.nn.functional.normalize`.
const SMALLEST_NORM: f32 = 1e-12;

/// Writes the weights to `external_data` and returns the graph that uses them.
pub fn build(
    checkpoint: &mut Checkpoint,
    external_data: &mut ExternalDataWriter,
    precision: Precision,
) -> Result<Model, Error> {
    let architecture = checkpoint.architecture.clone();
    let pooling = checkpoint.sentence_transformer.pooling;
    let mut writer = GraphWriter {
        precision,
        graph: GraphBuilder::default(),
        architecture,
        weights: WeightSource {
            checkpoint,
            external_data,
        },
    };
    let mut tokens = writer.embeddings()?;
    let last = writer.architecture.layers - 1;
    for layer in 0..last {
        tokens = writer.layer(layer, tokens, Queries::EveryToken)?;
    }
    let vectors = match pooling {
        Pooling::Cls => writer.layer(last, tokens, Queries::FirstToken)?.floats,
        Pooling::Mean => {
            let tokens = writer.layer(last, tokens, Queries::EveryToken)?;
            let mean = Operation::custom(
                DOMAIN,
                name::MEAN_POOLING,
                &[&tokens.floats, input::LENGTHS],
            );
            writer.graph.add("pooling.mean", mean)
        }
    };
    writer.normalize(&vectors);
    let sequences = DimensionSize::Named("texts");
    let dimensions = DimensionSize::Fixed(writer.hidden());
    let tokens = DimensionSize::Named("tokens");
    Ok(writer.graph.finish(
        "encoder",
        vec![
            value_info(input::IDS, ElementType::Int64, &[tokens]),
            value_info(input::LENGTHS, ElementType::Int64, &[sequences]),
        ],
        vec![value_info(
            VECTORS_OUTPUT,
            ElementType::Float,
            &[sequences, dimensions],
        )],
    ))
}

struct GraphWriter<'a> {
    precision: Precision,
    graph: GraphBuilder,
    architecture: Architecture,
    weights: WeightSource<'a>,
}

/// Which tokens a layer computes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Queries {
    EveryToken,
    /// Only the first of each sequence, which is all that CLS pooling needs.
    FirstToken,
}

/// The input of a matrix multiplication: floats, or quantized bytes and the quantization of each row.
type Activations = Vec<ValueName>;

/// What one half of a layer hands to the next: floats for the residual connection, and the same as activations.
struct HiddenStates {
    floats: ValueName,
    activations: Activations,
}

impl GraphWriter<'_> {
    fn hidden(&self) -> usize {
        self.architecture.hidden.get()
    }

    fn embeddings(&mut self) -> Result<HiddenStates, Error> {
        let table = self.weights.word_embeddings()?;
        let (words, scales) = match self.precision {
            Precision::Fp32 => {
                let words = self.weights.copy(&mut self.graph, WORDS, &[table])?;
                (words, None)
            }
            Precision::Int8 => {
                let quantized = quantize_table(&mut self.weights, WORDS, &table)?;
                let [words, scales] = quantized.map(|tensor| self.graph.weight(tensor));
                (words, Some(scales))
            }
        };
        let positions = self.weights.position_embeddings(&mut self.graph)?;
        let [scale, shift] = self
            .weights
            .normalization(&mut self.graph, "embeddings.LayerNorm")?;
        let mut inputs = vec![
            input::IDS,
            input::LENGTHS,
            &words,
            &positions,
            &scale,
            &shift,
        ];
        inputs.extend(scales.as_deref());
        let padding_id = match self.architecture.positions {
            Positions::FromZero => -1,
            Positions::AfterPadding { padding_id } => padding_id,
        };
        let operation = self
            .operation([name::EMBED_TOKENS, name::EMBED_TOKENS_QUANTIZED], &inputs)
            .float("epsilon", self.architecture.epsilon)
            .integer("padding_id", padding_id);
        Ok(self.add_hidden_states("embeddings", operation))
    }

    fn layer(
        &mut self,
        layer: usize,
        tokens: HiddenStates,
        queries: Queries,
    ) -> Result<HiddenStates, Error> {
        let checkpoint_name = format!("encoder.layer.{layer}");
        let (hidden, intermediate) = (self.hidden(), self.architecture.intermediate);
        let context = self.attention(layer, &tokens.activations, queries)?;
        let residual = match queries {
            Queries::EveryToken => tokens.floats,
            Queries::FirstToken => self.first_tokens(&tokens.floats),
        };
        let attended = self.add_normalize(
            &format!("{checkpoint_name}.attention.output"),
            [hidden, hidden],
            &context,
            &residual,
        )?;
        let wide = self.feed_forward(layer, &attended.activations)?;
        self.add_normalize(
            &format!("{checkpoint_name}.output"),
            [hidden, intermediate],
            &wide,
            &attended.floats,
        )
    }

    fn attention(
        &mut self,
        layer: usize,
        tokens: &Activations,
        queries: Queries,
    ) -> Result<Activations, Error> {
        let linear = Linear::query_key_value(layer, self.hidden());
        let projected = self.linear(&linear, tokens)?;
        let operators = [name::ATTENTION, name::ATTENTION_QUANTIZED];
        let operation = self
            .operation(operators, &[&projected, input::LENGTHS])
            .integer("width", 3 * self.hidden() as i64)
            .integer("heads", self.architecture.heads as i64)
            .integer("first_only", i64::from(queries == Queries::FirstToken));
        Ok(self.add_activations(&format!("layer.{layer}.attention.context"), operation))
    }

    fn feed_forward(&mut self, layer: usize, tokens: &Activations) -> Result<Activations, Error> {
        let linear = Linear {
            name: format!("layer.{layer}.intermediate"),
            parts: vec![format!("encoder.layer.{layer}.intermediate.dense")],
            outputs: self.architecture.intermediate,
            inputs: self.hidden(),
        };
        let wide = self.linear(&linear, tokens)?;
        let operation = self
            .operation([name::GELU, name::GELU_QUANTIZED], &[&wide])
            .integer("width", linear.outputs as i64);
        Ok(self.add_activations(&format!("layer.{layer}.gelu"), operation))
    }

    /// The end of each half of a layer: a linear layer, the residual connection and the layer normalization.
    fn add_normalize(
        &mut self,
        checkpoint_name: &str,
        [outputs, inputs]: [usize; 2],
        tokens: &Activations,
        residual: &str,
    ) -> Result<HiddenStates, Error> {
        let linear = Linear {
            name: graph_name(checkpoint_name).to_owned(),
            parts: vec![format!("{checkpoint_name}.dense")],
            outputs,
            inputs,
        };
        let projected = self.linear(&linear, tokens)?;
        let normalization = format!("{checkpoint_name}.LayerNorm");
        let [scale, shift] = self
            .weights
            .normalization(&mut self.graph, &normalization)?;
        let operators = [
            name::ADD_LAYER_NORMALIZATION,
            name::ADD_LAYER_NORMALIZATION_QUANTIZED,
        ];
        let operation = self
            .operation(operators, &[&projected, residual, &scale, &shift])
            .float("epsilon", self.architecture.epsilon);
        Ok(self.add_hidden_states(graph_name(&normalization), operation))
    }

    fn linear(&mut self, linear: &Linear, tokens: &Activations) -> Result<ValueName, Error> {
        let parts = self.weights.matrices(linear)?;
        let (operator, matrix) = match self.precision {
            Precision::Fp32 => {
                let weights = prepack(&mut self.weights, &linear.name, &parts)?;
                (name::LINEAR, vec![weights])
            }
            Precision::Int8 => {
                let QuantizedMatrix {
                    weights,
                    scale,
                    sum,
                } = prepack_quantized(&mut self.weights, &linear.name, &parts)?;
                (name::QUANTIZED_LINEAR, vec![weights, scale, sum])
            }
        };
        let matrix = matrix.into_iter().map(|tensor| self.graph.weight(tensor));
        let mut inputs: Vec<ValueName> = tokens.iter().cloned().chain(matrix).collect();
        inputs.push(self.weights.bias(&mut self.graph, linear)?);
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let operation = Operation::custom(DOMAIN, operator, &inputs);
        Ok(self
            .graph
            .add(&format!("{}.product", linear.name), operation))
    }

    /// The rows of each sequence's first token.
    fn first_tokens(&mut self, rows: &str) -> ValueName {
        let graph = &mut self.graph;
        let axis = graph.integers("pooling.axis", &[], &[0]);
        let starts =
            Operation::standard("CumSum", &[input::LENGTHS, &axis]).integer("exclusive", 1);
        let starts = graph.add("pooling.starts", starts);
        graph.add(
            "pooling.first",
            Operation::standard("Gather", &[rows, &starts]),
        )
    }

    /// Ends the graph: every vector is divided by its L2 norm.
    fn normalize(&mut self, vectors: &str) {
        let graph = &mut self.graph;
        let axis = graph.integers("norm.axis", &[1], &[-1]);
        let smallest = graph.scalar("norm.smallest", SMALLEST_NORM);
        let norm = graph.add(
            "norm.length",
            Operation::standard("ReduceL2", &[vectors, &axis]).integer("keepdims", 1),
        );
        let norm = graph.add(
            "norm.divisor",
            Operation::standard("Max", &[&norm, &smallest]),
        );
        graph.add(
            VECTORS_OUTPUT,
            Operation::standard("Div", &[vectors, &norm]),
        );
    }

    /// The operator of the graph's precision, out of the one that gives floats and the one that quantizes.
    fn operation(&self, [floats, quantized]: [&str; 2], inputs: &[&str]) -> Operation {
        let operator = match self.precision {
            Precision::Fp32 => floats,
            Precision::Int8 => quantized,
        };
        Operation::custom(DOMAIN, operator, inputs)
    }

    /// Adds an operation whose result a residual connection needs, too.
    fn add_hidden_states(&mut self, name: &str, operation: Operation) -> HiddenStates {
        match self.precision {
            Precision::Fp32 => {
                let floats = self.graph.add(name, operation);
                HiddenStates {
                    activations: vec![floats.clone()],
                    floats,
                }
            }
            Precision::Int8 => {
                let [bytes, rows] = quantized_names(name);
                let outputs = [name, &bytes, &rows];
                let [floats, bytes, rows] = self.graph.add_with_outputs(outputs, operation);
                HiddenStates {
                    floats,
                    activations: vec![bytes, rows],
                }
            }
        }
    }

    /// Adds an operation whose result only a matrix multiplication needs.
    fn add_activations(&mut self, name: &str, operation: Operation) -> Activations {
        match self.precision {
            Precision::Fp32 => vec![self.graph.add(name, operation)],
            Precision::Int8 => {
                let outputs = quantized_names(name);
                let outputs = outputs.each_ref().map(String::as_str);
                self.graph.add_with_outputs(outputs, operation).into()
            }
        }
    }
}

/// Names of the two tensors of quantized activations: the bytes, and the quantization of each row.
fn quantized_names(name: &str) -> [ValueName; 2] {
    ["bytes", "rounding"].map(|part| format!("{name}.{part}"))
}
