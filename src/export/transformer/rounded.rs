//! The int8 graph.
//!
//! Matrices are rounded to signed bytes, one scale for each output; activations to unsigned bytes, one range for each
//! row. Almost all of it is done by the operators of [`kernels`](crate::model::kernels). Texts lie one behind the other: the graph takes their lengths and knows no
//! padding.

use super::super::Error;
use super::super::checkpoint::{Architecture, Positions};
use super::super::graph::{GraphBuilder, Operation, Size, Value, value_info};
use super::super::onnx::{ElementType, Model};
use super::super::rounding::{RoundedMatrix, round_matrix, round_table};
use super::{Linear, Source, attention_parts, normalize, short};
use crate::model::kernels::{DOMAIN, name};
use crate::model::{Pooling, VECTORS_OUTPUT, input};

/// Writes the weights and gives the graph that uses them.
pub fn build(source: Source<'_>) -> Result<Model, Error> {
    let architecture = source.checkpoint.architecture.clone();
    let pooling = source.checkpoint.sentence.pooling;
    let mut writer = RoundedWriter {
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
            let mean = Operation::of(DOMAIN, name::MEAN, &[&tokens.floats, input::LENGTHS]);
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

struct RoundedWriter<'a> {
    graph: GraphBuilder,
    architecture: Architecture,
    source: Source<'a>,
}

/// A matrix rounded row by row: bytes, and the rounding of each row.
type Rounded = [Value; 2];

/// Rows between two halves of a layer: as they are, for the residual, and rounded, for the next product.
struct Rows {
    floats: Value,
    rounded: Rounded,
}

impl RoundedWriter<'_> {
    fn hidden(&self) -> usize {
        self.architecture.hidden.get()
    }

    fn embeddings(&mut self) -> Result<Rows, Error> {
        let place = self.source.word_table()?;
        let table = round_table(&mut self.source, "embeddings.words", &place)?;
        let [words, word_scales] = table.map(|tensor| self.graph.weight(tensor));
        let positions = self.source.position_table(&mut self.graph)?;
        let [scale, shift] = self
            .source
            .normalization(&mut self.graph, "embeddings.LayerNorm")?;
        let inputs = [
            input::IDS,
            input::LENGTHS,
            &words,
            &word_scales,
            &positions,
            &scale,
            &shift,
        ];
        let padding_id = match self.architecture.positions {
            Positions::FromZero => -1,
            Positions::AfterPadding { padding_id } => padding_id,
        };
        let operation = Operation::of(DOMAIN, name::EMBED, &inputs)
            .float("epsilon", self.architecture.epsilon)
            .integer("padding_id", padding_id);
        Ok(self.rows("embeddings", operation))
    }

    fn layer(&mut self, layer: usize, tokens: Rows, first_only: bool) -> Result<Rows, Error> {
        let source = format!("encoder.layer.{layer}");
        let (hidden, intermediate) = (self.hidden(), self.architecture.intermediate);
        let context = self.attention(layer, &tokens.rounded, first_only)?;
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
        let wide = self.feed_forward(layer, &attended.rounded)?;
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
        tokens: &Rounded,
        first_only: bool,
    ) -> Result<Rounded, Error> {
        let linear = Linear {
            name: format!("layer.{layer}.attention.query_key_value"),
            parts: attention_parts(layer, &["query", "key", "value"]),
            outputs: self.hidden(),
            inputs: self.hidden(),
        };
        let product = self.product(&linear, tokens)?;
        let operation = Operation::of(DOMAIN, name::ATTEND, &[&product, input::LENGTHS])
            .integer("width", 3 * self.hidden() as i64)
            .integer("heads", self.architecture.heads as i64)
            .integer("first_only", i64::from(first_only));
        Ok(self.rounded(&format!("layer.{layer}.attention.context"), operation))
    }

    fn feed_forward(&mut self, layer: usize, tokens: &Rounded) -> Result<Rounded, Error> {
        let linear = Linear {
            name: format!("layer.{layer}.intermediate"),
            parts: vec![format!("encoder.layer.{layer}.intermediate.dense")],
            outputs: self.architecture.intermediate,
            inputs: self.hidden(),
        };
        let product = self.product(&linear, tokens)?;
        let operation =
            Operation::of(DOMAIN, name::GELU, &[&product]).integer("width", linear.outputs as i64);
        Ok(self.rounded(&format!("layer.{layer}.gelu"), operation))
    }

    fn add_normalize(
        &mut self,
        source: &str,
        [outputs, inputs]: [usize; 2],
        tokens: &Rounded,
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
        let inputs = [&product, residual, &scale, &shift];
        let operation = Operation::of(DOMAIN, name::ADD_NORMALIZE, &inputs)
            .float("epsilon", self.architecture.epsilon);
        Ok(self.rows(short(&normalization), operation))
    }

    /// The product of rounded rows with a matrix.
    fn product(&mut self, linear: &Linear, [bytes, rounding]: &Rounded) -> Result<Value, Error> {
        let parts = self.source.matrices(linear)?;
        let RoundedMatrix {
            weights,
            scale,
            sum,
        } = round_matrix(&mut self.source, &linear.name, &parts)?;
        let [weights, scale, sum] = [weights, scale, sum].map(|tensor| self.graph.weight(tensor));
        let bias = self.source.bias(&mut self.graph, linear)?;
        let inputs = [bytes, rounding, &weights, &scale, &sum, &bias].map(String::as_str);
        let operation = Operation::of(DOMAIN, name::LINEAR, &inputs);
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

    fn rows(&mut self, name: &str, operation: Operation) -> Rows {
        let names = ["", ".bytes", ".rounding"].map(|part| format!("{name}{part}"));
        let [floats, bytes, rounding] = self
            .graph
            .add_split(names.each_ref().map(String::as_str), operation);
        Rows {
            floats,
            rounded: [bytes, rounding],
        }
    }

    fn rounded(&mut self, name: &str, operation: Operation) -> Rounded {
        let names = ["bytes", "rounding"].map(|part| format!("{name}.{part}"));
        self.graph
            .add_split(names.each_ref().map(String::as_str), operation)
    }
}
