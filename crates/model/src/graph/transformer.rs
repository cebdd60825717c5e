//! The nodes of an encoder of BERT's or RoBERTa's family, from token ids to unit vectors, and their order.
//!
//! Sequences are concatenated, without padding: the graph takes their lengths. In fp16 and fp32, activations are floats. In
//! int8, they are quantized row by row to unsigned bytes, and weights to signed bytes with one scale for each output. With CLS
//! pooling the last layer computes only each sequence's first token.

use super::builder::{GraphBuilder, value_info};
use super::writer::{Activations, GraphWriter, HiddenStates, float, graph_name};
use super::{Architecture, Layout, Linear, WeightPrecision, Weights};
use crate::encoder::{VECTORS_OUTPUT, input};
use crate::onnx::DimensionValue::{Fixed, Named};
use crate::onnx::ElementType::{Float, Float16, Int8, Int64};
use crate::onnx::Node;
use crate::operators::name;
use crate::precision::Precision;
use crate::sentence_transformers::Pooling;

/// Name of the word embeddings in the graph.
pub const WORDS: &str = "embeddings.words";
/// Name of the position embeddings in the graph.
pub const POSITIONS: &str = "embeddings.positions";

/// Name of both tables together: they have the same precision, except in int8, where positions are in fp32.
pub const TABLES: &str = "embeddings";

/// The graph of an encoder.
pub fn layout(
    architecture: &Architecture,
    pooling: Pooling,
    precision: WeightPrecision<'_>,
) -> Layout {
    let mut writer = GraphWriter {
        precision,
        graph: GraphBuilder::default(),
        architecture,
        hidden: architecture.hidden.get(),
    };
    let mut tokens = writer.embeddings();
    for layer in 0..architecture.layers {
        let is_last = layer + 1 == architecture.layers;
        tokens = writer.layer(layer, &tokens, is_last && pooling == Pooling::Cls);
    }
    let vectors = match pooling {
        Pooling::Cls => writer.first_tokens(&tokens.floats),
        Pooling::Mean => {
            let inputs = [&tokens.floats, input::LENGTHS];
            let mean = Node::new(name::MEAN_POOLING, &inputs);
            writer.graph.add("pooling.mean", mean)
        }
    };
    let normalized = Node::new(name::NORMALIZE_VECTORS, &[&vectors]);
    writer.graph.add(VECTORS_OUTPUT, normalized);
    let heads = writer.heads(&tokens.floats);
    let texts = || Named("texts".to_owned());
    let mut inputs = vec![value_info(input::IDS, Int64, &[Named("tokens".to_owned())])];
    let per_text = [input::LENGTHS]
        .into_iter()
        .chain(row_counts(architecture, pooling));
    inputs.extend(per_text.map(|name| value_info(name, Int64, &[texts()])));
    let dimensions = Fixed(writer.hidden as i64);
    let mut outputs = vec![value_info(VECTORS_OUTPUT, Float, &[texts(), dimensions])];
    outputs.extend(heads);
    writer.graph.finish("encoder", inputs, outputs)
}

/// The inputs that say how many rows of each text are computed.
fn row_counts(architecture: &Architecture, pooling: Pooling) -> Vec<&'static str> {
    let heads = architecture.output_heads;
    let all = [
        (input::QUERIES, pooling == Pooling::Cls),
        (input::DENSE, heads.any()),
        (input::SPARSE, heads.sparse),
        (input::COLBERT, heads.colbert.is_some()),
    ];
    all.into_iter()
        .filter_map(|(name, is_used)| is_used.then_some(name))
        .collect()
}

impl GraphWriter<'_> {
    fn embeddings(&mut self) -> HiddenStates {
        let vocabulary = self.architecture.vocabulary;
        let (table, rows) = (
            [vocabulary, self.hidden],
            [self.architecture.position_rows, self.hidden],
        );
        let scales = format!("{WORDS}.scale");
        let precision = self.precision.of(TABLES);
        let [of_floats, of_bytes, of_halves] = name::EMBED_TOKENS;
        let (operator, element, positions) = match precision {
            Precision::Fp16 => (of_halves, Float16, precision),
            Precision::Fp32 => (of_floats, Float, precision),
            Precision::Int8 => (of_bytes, Int8, Precision::Fp32),
        };
        let words: [(&str, _, &[usize]); 2] =
            [(WORDS, element, &table), (&scales, Float, &[vocabulary])];
        let scales = (precision == Precision::Int8).then_some(scales.as_str());
        let tensors = 1 + usize::from(scales.is_some());
        self.graph
            .weights(Weights::Words(precision), &words[..tensors]);
        let tensors = [(POSITIONS, float(positions), rows.as_slice())];
        self.graph.weights(Weights::Positions(positions), &tensors);
        let [scale, shift] = self.normalization("embeddings.LayerNorm");
        let mut inputs = vec![input::IDS, input::LENGTHS, WORDS, POSITIONS, &scale, &shift];
        inputs.extend(scales);
        let node = Node::new(operator, &inputs)
            .float("epsilon", self.architecture.epsilon)
            .integer("padding_id", self.architecture.first_position as i64 - 1);
        self.add_hidden_states("embeddings", node)
    }

    /// A layer of all tokens or, if it is the last before CLS pooling, of as many of each text as its outputs need.
    fn layer(&mut self, layer: usize, tokens: &HiddenStates, is_partial: bool) -> HiddenStates {
        let checkpoint_name = format!("encoder.layer.{layer}");
        let (hidden, intermediate) = (self.hidden, self.architecture.intermediate);
        let context = self.attention(layer, &tokens.activations, is_partial);
        let residual = if is_partial {
            let counts = [input::LENGTHS, input::QUERIES];
            self.select_rows("last.tokens", &tokens.floats, counts, 0)
        } else {
            tokens.floats.clone()
        };
        let attended = self.add_normalize(
            &format!("{checkpoint_name}.attention.output"),
            [hidden, hidden],
            &context,
            &residual,
        );
        let wide = self.feed_forward(layer, &attended.activations);
        self.add_normalize(
            &format!("{checkpoint_name}.output"),
            [hidden, intermediate],
            &wide,
            &attended.floats,
        )
    }

    fn attention(&mut self, layer: usize, tokens: &Activations, is_partial: bool) -> Activations {
        let part = |role| format!("encoder.layer.{layer}.attention.self.{role}");
        let name = format!("layer.{layer}.attention.query_key_value");
        let linear = Linear {
            precision: self.precision.of(&name),
            name,
            parts: ["query", "key", "value"].map(part).into(),
            outputs: self.hidden,
            inputs: self.hidden,
        };
        let projected = self.linear(linear, tokens);
        let queries = if is_partial {
            input::QUERIES
        } else {
            input::LENGTHS
        };
        let node = self
            .node(name::ATTENTION, &[&projected, input::LENGTHS, queries])
            .integer("width", 3 * self.hidden as i64)
            .integer("heads", self.architecture.attention_heads as i64);
        self.add_activations(&format!("layer.{layer}.attention.context"), node)
    }

    fn feed_forward(&mut self, layer: usize, tokens: &Activations) -> Activations {
        let intermediate = self.architecture.intermediate;
        let name = format!("layer.{layer}.intermediate");
        let linear = Linear {
            precision: self.precision.of(&name),
            name,
            parts: vec![format!("encoder.layer.{layer}.intermediate.dense")],
            outputs: intermediate,
            inputs: self.hidden,
        };
        let wide = self.linear(linear, tokens);
        let node = self
            .node(name::GELU, &[&wide])
            .integer("width", intermediate as i64);
        self.add_activations(&format!("layer.{layer}.gelu"), node)
    }

    /// The end of each half of a layer: a linear layer, the residual connection and the layer normalization.
    fn add_normalize(
        &mut self,
        checkpoint_name: &str,
        [outputs, inputs]: [usize; 2],
        tokens: &Activations,
        residual: &str,
    ) -> HiddenStates {
        let name = graph_name(checkpoint_name);
        let linear = Linear {
            name: name.to_owned(),
            parts: vec![format!("{checkpoint_name}.dense")],
            outputs,
            inputs,
            precision: self.precision.of(name),
        };
        let projected = self.linear(linear, tokens);
        let normalization = format!("{checkpoint_name}.LayerNorm");
        let [scale, shift] = self.normalization(&normalization);
        let node = self
            .node(
                name::ADD_LAYER_NORMALIZATION,
                &[&projected, residual, &scale, &shift],
            )
            .float("epsilon", self.architecture.epsilon);
        self.add_hidden_states(graph_name(&normalization), node)
    }
}
