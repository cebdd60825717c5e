//! The int8 graph.
//!
//! Matrices are rounded to signed bytes, one scale for each output; activations to unsigned bytes, one range for each
//! row. ONNX Runtime multiplies the bytes; what lies between two products is done by the operators of
//! [`kernels`](crate::model::kernels). Texts lie one behind the other: the graph takes their lengths and knows no
//! padding.

use super::super::Error;
use super::super::checkpoint::{Architecture, Positions};
use super::super::graph::{GraphBuilder, Operation, Size, Value, value_info};
use super::super::onnx::{ElementType, Model};
use super::super::rounding::{Columns, round_matrix, round_table};
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
        vec![value_info(VECTORS_OUTPUT, ElementType::Float, &vector_sizes)],
    ))
}

struct RoundedWriter<'a> {
    graph: GraphBuilder,
    architecture: Architecture,
    source: Source<'a>,
}

/// A matrix rounded row by row: bytes, scales and zeros.
type Rounded = [Value; 3];

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
        let [scale, shift] = self.source.normalization(&mut self.graph, "embeddings.LayerNorm")?;
        let inputs = [input::IDS, input::LENGTHS, &words, &word_scales, &positions, &scale, &shift];
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
        let residual = if first_only { self.first_of_texts(&tokens.floats) } else { tokens.floats };
        let attended = self.add_normalize(&format!("{source}.attention.output"), [hidden, hidden], &context, &residual)?;
        let wide = self.feed_forward(layer, &attended.rounded)?;
        self.add_normalize(&format!("{source}.output"), [hidden, intermediate], &wide, &attended.floats)
    }

    fn attention(&mut self, layer: usize, tokens: &Rounded, first_only: bool) -> Result<Rounded, Error> {
        let linear = Linear {
            name: format!("layer.{layer}.attention.query_key_value"),
            parts: attention_parts(layer, &["query", "key", "value"]),
            outputs: self.hidden(),
            inputs: self.hidden(),
        };
        let mut inputs = self.product(&linear, tokens)?;
        inputs.push(input::LENGTHS.to_owned());
        let operation = Operation::of(DOMAIN, name::ATTEND, &borrowed(&inputs))
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
        let inputs = self.product(&linear, tokens)?;
        let operation = Operation::of(DOMAIN, name::GELU, &borrowed(&inputs));
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
        let mut inputs = self.product(&linear, tokens)?;
        inputs.push(residual.to_owned());
        let normalization = format!("{source}.LayerNorm");
        inputs.extend(self.source.normalization(&mut self.graph, &normalization)?);
        let operation = Operation::of(DOMAIN, name::ADD_NORMALIZE, &borrowed(&inputs))
            .float("epsilon", self.architecture.epsilon);
        Ok(self.rows(short(&normalization), operation))
    }

    /// The product of rounded numbers, and all that an operator needs to turn it back into floats.
    fn product(&mut self, linear: &Linear, [bytes, scales, zeros]: &Rounded) -> Result<Vec<Value>, Error> {
        let parts = self.source.matrices(linear)?;
        let Columns { matrix, scale, sum } = round_matrix(&mut self.source, &linear.name, &parts)?;
        let [matrix, scale, sum] = [matrix, scale, sum].map(|tensor| self.graph.weight(tensor));
        let bias = self.source.bias(&mut self.graph, linear)?;
        let product = Operation::standard("MatMulInteger", &[bytes, &matrix]);
        let product = self.graph.add(&format!("{}.product", linear.name), product);
        Ok(vec![product, scales.clone(), zeros.clone(), scale, sum, bias])
    }

    /// The row of the first token of each text.
    fn first_of_texts(&mut self, rows: &str) -> Value {
        let graph = &mut self.graph;
        let axis = graph.integers("pooling.axis", &[], &[0]);
        let starts = Operation::standard("CumSum", &[input::LENGTHS, &axis]).integer("exclusive", 1);
        let starts = graph.add("pooling.starts", starts);
        graph.add("pooling.first", Operation::standard("Gather", &[rows, &starts]))
    }

    fn rows(&mut self, name: &str, operation: Operation) -> Rows {
        let names = ["", ".bytes", ".scales", ".zeros"].map(|part| format!("{name}{part}"));
        let [floats, bytes, scales, zeros] = self.graph.add_split(names.each_ref().map(String::as_str), operation);
        Rows {
            floats,
            rounded: [bytes, scales, zeros],
        }
    }

    fn rounded(&mut self, name: &str, operation: Operation) -> Rounded {
        let names = ["bytes", "scales", "zeros"].map(|part| format!("{name}.{part}"));
        self.graph.add_split(names.each_ref().map(String::as_str), operation)
    }
}

fn borrowed(values: &[Value]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}
