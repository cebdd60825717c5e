//! Embeddings, layers and pooling, by the operators of [`kernels`](crate::operators).
//!
//! Texts lie one behind the other: the graph takes their lengths and knows no padding. In fp32 rows go into products as
//! they are. In int8 matrices are rounded to signed bytes, one scale for each output, and rows to unsigned bytes, one
//! range for each. For CLS pooling the last layer computes only what the first token of each text needs.

use super::super::Error;
use super::super::checkpoint::{Architecture, Positions};
use super::super::graph::{GraphBuilder, Operation, Size, Value, value_info};
use super::super::onnx::{ElementType, Model};
use super::super::packing::pack_matrix;
use super::super::rounding::{RoundedMatrix, round_matrix, round_table};
use super::{Linear, Source, attention_parts, normalize, short};
use crate::Precision;
use crate::operators::{DOMAIN, name};
use crate::{Pooling, VECTORS_OUTPUT, input};

/// Name of the word table in the graph.
const WORDS: &str = "embeddings.words";

/// Writes the weights and gives the graph that uses them.
pub fn build(source: Source<'_>, precision: Precision) -> Result<Model, Error> {
    let architecture = source.checkpoint.architecture.clone();
    let pooling = source.checkpoint.sentence.pooling;
    let mut writer = GraphWriter {
        precision,
        graph: GraphBuilder::default(),
        architecture,
        source,
    };
    let mut tokens = writer.embeddings()?;
    let last = writer.architecture.layers - 1;
    for layer in 0..last {
        tokens = writer.layer(layer, tokens, false)?;
    }
    let vectors = match pooling {
        Pooling::Cls => writer.layer(last, tokens, true)?.floats,
        Pooling::Mean => {
            let tokens = writer.layer(last, tokens, false)?;
            let mean = Operation::of(
                DOMAIN,
                name::MEAN_POOLING,
                &[&tokens.floats, input::LENGTHS],
            );
            writer.graph.add("pooling.mean", mean)
        }
    };
    normalize(&mut writer.graph, &vectors);
    let vector_sizes = [Size::Named("texts"), Size::Fixed(writer.hidden())];
    Ok(writer.graph.finish(
        "encoder",
        vec![
            value_info(input::IDS, ElementType::Int64, &[Size::Named("tokens")]),
            value_info(input::LENGTHS, ElementType::Int64, &[Size::Named("texts")]),
        ],
        vec![value_info(
            VECTORS_OUTPUT,
            ElementType::Float,
            &vector_sizes,
        )],
    ))
}

struct GraphWriter<'a> {
    precision: Precision,
    graph: GraphBuilder,
    architecture: Architecture,
    source: Source<'a>,
}

/// Rows as they go into a product: floats, or bytes and the rounding of each row.
type Factor = Vec<Value>;

/// Rows between two halves of a layer: as they are, for the residual, and as they go into the next product.
struct Rows {
    floats: Value,
    factor: Factor,
}

impl GraphWriter<'_> {
    fn hidden(&self) -> usize {
        self.architecture.hidden.get()
    }

    fn embeddings(&mut self) -> Result<Rows, Error> {
        let place = self.source.word_table()?;
        let (words, scales) = match self.precision {
            Precision::Fp32 => {
                let words = self.source.copy(&mut self.graph, WORDS, &[place])?;
                (words, None)
            }
            Precision::Int8 => {
                let table = round_table(&mut self.source, WORDS, &place)?;
                let [words, scales] = table.map(|tensor| self.graph.weight(tensor));
                (words, Some(scales))
            }
        };
        let positions = self.source.position_table(&mut self.graph)?;
        let [scale, shift] = self
            .source
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
        Ok(self.rows("embeddings", operation))
    }

    fn layer(&mut self, layer: usize, tokens: Rows, first_only: bool) -> Result<Rows, Error> {
        let source = format!("encoder.layer.{layer}");
        let (hidden, intermediate) = (self.hidden(), self.architecture.intermediate);
        let context = self.attention(layer, &tokens.factor, first_only)?;
        let residual = if first_only {
            self.first_of_texts(&tokens.floats)
        } else {
            tokens.floats
        };
        let attended = self.add_normalize(
            &format!("{source}.attention.output"),
            [hidden, hidden],
            &context,
            &residual,
        )?;
        let wide = self.feed_forward(layer, &attended.factor)?;
        self.add_normalize(
            &format!("{source}.output"),
            [hidden, intermediate],
            &wide,
            &attended.floats,
        )
    }

    fn attention(
        &mut self,
        layer: usize,
        tokens: &Factor,
        first_only: bool,
    ) -> Result<Factor, Error> {
        let linear = Linear {
            name: format!("layer.{layer}.attention.query_key_value"),
            parts: attention_parts(layer),
            outputs: self.hidden(),
            inputs: self.hidden(),
        };
        let product = self.product(&linear, tokens)?;
        let operators = [name::ATTENTION, name::ATTENTION_QUANTIZED];
        let operation = self
            .operation(operators, &[&product, input::LENGTHS])
            .integer("width", 3 * self.hidden() as i64)
            .integer("heads", self.architecture.heads as i64)
            .integer("first_only", i64::from(first_only));
        Ok(self.factor(&format!("layer.{layer}.attention.context"), operation))
    }

    fn feed_forward(&mut self, layer: usize, tokens: &Factor) -> Result<Factor, Error> {
        let linear = Linear {
            name: format!("layer.{layer}.intermediate"),
            parts: vec![format!("encoder.layer.{layer}.intermediate.dense")],
            outputs: self.architecture.intermediate,
            inputs: self.hidden(),
        };
        let product = self.product(&linear, tokens)?;
        let operation = self
            .operation([name::GELU, name::GELU_QUANTIZED], &[&product])
            .integer("width", linear.outputs as i64);
        Ok(self.factor(&format!("layer.{layer}.gelu"), operation))
    }

    fn add_normalize(
        &mut self,
        source: &str,
        [outputs, inputs]: [usize; 2],
        tokens: &Factor,
        residual: &str,
    ) -> Result<Rows, Error> {
        let linear = Linear {
            name: short(source).to_owned(),
            parts: vec![format!("{source}.dense")],
            outputs,
            inputs,
        };
        let product = self.product(&linear, tokens)?;
        let normalization = format!("{source}.LayerNorm");
        let [scale, shift] = self.source.normalization(&mut self.graph, &normalization)?;
        let operators = [
            name::ADD_LAYER_NORMALIZATION,
            name::ADD_LAYER_NORMALIZATION_QUANTIZED,
        ];
        let operation = self
            .operation(operators, &[&product, residual, &scale, &shift])
            .float("epsilon", self.architecture.epsilon);
        Ok(self.rows(short(&normalization), operation))
    }

    /// The product of rows with a matrix.
    fn product(&mut self, linear: &Linear, rows: &Factor) -> Result<Value, Error> {
        let parts = self.source.matrices(linear)?;
        let (operator, matrix) = match self.precision {
            Precision::Fp32 => {
                let weights = pack_matrix(&mut self.source, &linear.name, &parts)?;
                (name::LINEAR, vec![weights])
            }
            Precision::Int8 => {
                let RoundedMatrix {
                    weights,
                    scale,
                    sum,
                } = round_matrix(&mut self.source, &linear.name, &parts)?;
                (name::QUANTIZED_LINEAR, vec![weights, scale, sum])
            }
        };
        let matrix = matrix.into_iter().map(|tensor| self.graph.weight(tensor));
        let mut inputs: Vec<Value> = rows.iter().cloned().chain(matrix).collect();
        inputs.push(self.source.bias(&mut self.graph, linear)?);
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let operation = Operation::of(DOMAIN, operator, &inputs);
        Ok(self
            .graph
            .add(&format!("{}.product", linear.name), operation))
    }

    /// The row of the first token of each text.
    fn first_of_texts(&mut self, rows: &str) -> Value {
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

    /// An operator that leaves rows as floats or rounded, by the precision.
    fn operation(&self, [floats, rounded]: [&str; 2], inputs: &[&str]) -> Operation {
        let operator = match self.precision {
            Precision::Fp32 => floats,
            Precision::Int8 => rounded,
        };
        Operation::of(DOMAIN, operator, inputs)
    }

    /// Adds an operation whose rows are wanted as they are, too.
    fn rows(&mut self, name: &str, operation: Operation) -> Rows {
        match self.precision {
            Precision::Fp32 => {
                let floats = self.graph.add(name, operation);
                let factor = vec![floats.clone()];
                Rows { floats, factor }
            }
            Precision::Int8 => {
                let [bytes, rounding] = rounded(name);
                let outputs = [name, &bytes, &rounding];
                let [floats, bytes, rounding] = self.graph.add_split(outputs, operation);
                let factor = vec![bytes, rounding];
                Rows { floats, factor }
            }
        }
    }

    /// Adds an operation whose rows go into a product and nowhere else.
    fn factor(&mut self, name: &str, operation: Operation) -> Factor {
        match self.precision {
            Precision::Fp32 => vec![self.graph.add(name, operation)],
            Precision::Int8 => {
                let outputs = rounded(name);
                let outputs = outputs.each_ref().map(String::as_str);
                self.graph.add_split(outputs, operation).into()
            }
        }
    }
}

/// Names of the two tensors that hold rounded rows.
fn rounded(name: &str) -> [Value; 2] {
    ["bytes", "rounding"].map(|part| format!("{name}.{part}"))
}
