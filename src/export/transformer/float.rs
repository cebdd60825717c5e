//! The fp32 graph.
//!
//! Matrices stay as the checkpoint has them, `[out, in]`: `Gemm` takes them transposed, so they are copied byte for
//! byte. Tokens flow as rows of a `[batch x sequence, hidden]` matrix; only attention sees the batch. Attention without
//! padding leaves the mask away, because ONNX Runtime's flash attention takes none and everything else needs memory
//! that grows with the square of the length. For CLS pooling the last layer computes only what the first token needs.

use super::super::Error;
use super::super::checkpoint::{Architecture, Positions};
use super::super::graph::{GraphBuilder, Operation, Size, Value, value_info};
use super::super::onnx::{ElementType, Model};
use super::{Linear, Source, attention_parts, normalize, pooling, positions, short};
use crate::model::{Pooling, VECTORS_OUTPUT, input};

/// Writes the weights and gives the graph that uses them.
pub fn build(source: Source<'_>) -> Result<Model, Error> {
    let architecture = source.checkpoint.architecture.clone();
    let pooling = source.checkpoint.sentence.pooling;
    let mut writer = FloatWriter {
        graph: GraphBuilder::default(),
        shapes: Shapes::default(),
        architecture,
        source,
    };
    writer.declare_shapes();
    let embedded = writer.embeddings()?;
    let vectors = writer.encode(embedded, pooling)?;
    normalize(&mut writer.graph, &vectors);
    let batch_by_sequence = || [Size::Named("batch"), Size::Named("sequence")];
    let vector_sizes = [Size::Named("batch"), Size::Fixed(writer.hidden())];
    Ok(writer.graph.finish(
        "encoder",
        vec![
            value_info(input::IDS, ElementType::Int64, &batch_by_sequence()),
            value_info(input::MASK, ElementType::Int64, &batch_by_sequence()),
        ],
        vec![value_info(
            VECTORS_OUTPUT,
            ElementType::Float,
            &vector_sizes,
        )],
    ))
}

struct FloatWriter<'a> {
    graph: GraphBuilder,
    shapes: Shapes,
    architecture: Architecture,
    source: Source<'a>,
}

/// Names of the small values that every layer uses.
#[derive(Default)]
struct Shapes {
    /// `[-1, hidden]`: tokens as rows.
    rows: Value,
    /// `[batch, sequence, -1]`: tokens by text.
    texts: Value,
    /// `[-1, 1, hidden]`: one token per text.
    single: Value,
    /// The mask as attention wants it.
    mask: Value,
    /// Whether no text of the batch is padded.
    unpadded: Value,
    /// First index.
    first: Value,
}

impl FloatWriter<'_> {
    fn hidden(&self) -> usize {
        self.architecture.hidden.get()
    }

    fn declare_shapes(&mut self) {
        let hidden = self.hidden() as i64;
        let graph = &mut self.graph;
        let rest = graph.integers("shape.rest", &[1], &[-1]);
        let one = graph.integers("mask.one", &[], &[1]);
        let batch_by_sequence = graph.add("shape.ids", Operation::standard("Shape", &[input::IDS]));
        let smallest = graph.add(
            "mask.smallest",
            Operation::standard("ReduceMin", &[input::MASK]).integer("keepdims", 0),
        );
        self.shapes = Shapes {
            rows: graph.integers("shape.rows", &[2], &[-1, hidden]),
            texts: graph.add(
                "shape.texts",
                Operation::standard("Concat", &[&batch_by_sequence, &rest]).integer("axis", 0),
            ),
            single: graph.integers("shape.single", &[3], &[-1, 1, hidden]),
            mask: graph.add(
                "mask.keys",
                Operation::standard("Cast", &[input::MASK])
                    .integer("to", ElementType::Int32 as i64),
            ),
            unpadded: graph.add(
                "mask.unpadded",
                Operation::standard("Equal", &[&smallest, &one]),
            ),
            first: graph.integers("index.first", &[], &[0]),
        };
    }

    /// Sum of word, position and token type rows, normalised: `[batch x sequence, hidden]`.
    fn embeddings(&mut self) -> Result<Value, Error> {
        let table = self.source.word_table()?;
        let table = self
            .source
            .copy(&mut self.graph, "embeddings.words", &[table])?;
        let words = Operation::standard("Gather", &[&table, input::IDS]);
        let words = self.graph.add("embeddings.word", words);
        let table = self.source.position_table(&mut self.graph)?;
        let positions = match self.architecture.positions {
            Positions::FromZero => positions::from_zero(&mut self.graph, &table),
            Positions::AfterPadding { padding_id } => {
                positions::after_padding(&mut self.graph, &table, padding_id)
            }
        };
        let sum = self.skip_normalization("embeddings.LayerNorm", &words, &positions, None)?;
        let rows = Operation::standard("Reshape", &[&sum, &self.shapes.rows]);
        Ok(self.graph.add("embeddings.rows", rows))
    }

    /// All layers and the pooling: `[batch, hidden]`.
    fn encode(&mut self, embedded: Value, pooling: Pooling) -> Result<Value, Error> {
        let last = self.architecture.layers - 1;
        let mut tokens = embedded;
        for layer in 0..last {
            tokens = self.layer(layer, &tokens)?;
        }
        match pooling {
            Pooling::Cls => self.last_layer_of_first_token(last, &tokens),
            Pooling::Mean => {
                let tokens = self.layer(last, &tokens)?;
                let texts = self.by_text(&tokens);
                Ok(pooling::mean(&mut self.graph, &texts))
            }
        }
    }

    fn layer(&mut self, layer: usize, tokens: &str) -> Result<Value, Error> {
        let name = format!("layer.{layer}.attention");
        let joined = self.projection(layer, &["query", "key", "value"], tokens)?;
        let texts = self.by_text(&joined);
        let [query, key, value] = self.graph.add_split(
            [
                &format!("{name}.query"),
                &format!("{name}.key"),
                &format!("{name}.value"),
            ],
            Operation::standard("Split", &[&texts])
                .integer("axis", -1)
                .integer("num_outputs", 3),
        );
        let context = self.attention(&name, [&query, &key, &value]);
        self.after_attention(layer, &context, tokens)
    }

    fn last_layer_of_first_token(&mut self, layer: usize, tokens: &str) -> Result<Value, Error> {
        let name = format!("layer.{layer}.attention");
        let texts = self.by_text(tokens);
        let first = self.graph.add(
            "pooling.first",
            Operation::standard("Gather", &[&texts, &self.shapes.first]).integer("axis", 1),
        );
        let query = self.projection(layer, &["query"], &first)?;
        let query = self.graph.add(
            &format!("{name}.query"),
            Operation::standard("Reshape", &[&query, &self.shapes.single]),
        );
        let joined = self.projection(layer, &["key", "value"], tokens)?;
        let texts = self.by_text(&joined);
        let [key, value] = self.graph.add_split(
            [&format!("{name}.key"), &format!("{name}.value")],
            Operation::standard("Split", &[&texts])
                .integer("axis", -1)
                .integer("num_outputs", 2),
        );
        let context = self.attention(&name, [&query, &key, &value]);
        self.after_attention(layer, &context, &first)
    }

    /// Query, key and value of a layer, or some of them, as one product with bias.
    fn projection(&mut self, layer: usize, roles: &[&str], tokens: &str) -> Result<Value, Error> {
        let linear = Linear {
            name: format!("layer.{layer}.attention.{}", roles.join("_")),
            parts: attention_parts(layer, roles),
            outputs: self.hidden(),
            inputs: self.hidden(),
        };
        let bias = self.bias(&linear)?;
        self.product(&linear, tokens, Some(&bias))
    }

    /// Scaled dot-product attention: `[batch, queries, hidden]`.
    fn attention(&mut self, name: &str, [query, key, value]: [&str; 3]) -> Value {
        let heads = self.architecture.heads as i64;
        let attend = |inputs: &[&str]| {
            Operation::microsoft("MultiHeadAttention", inputs).integer("num_heads", heads)
        };
        let operation = Operation::standard("If", &[&self.shapes.unpadded])
            .branch(
                "then_branch",
                attend(&[query, key, value]),
                &format!("{name}.flash"),
            )
            .branch(
                "else_branch",
                attend(&[query, key, value, "", &self.shapes.mask]),
                &format!("{name}.masked"),
            );
        self.graph.add(&format!("{name}.context"), operation)
    }

    /// Output projection, residual and feed-forward part of a layer.
    fn after_attention(
        &mut self,
        layer: usize,
        context: &str,
        residual: &str,
    ) -> Result<Value, Error> {
        let (hidden, intermediate) = (self.hidden(), self.architecture.intermediate);
        let source = format!("encoder.layer.{layer}");
        let context = self.graph.add(
            &format!("layer.{layer}.attention.rows"),
            Operation::standard("Reshape", &[context, &self.shapes.rows]),
        );
        let attended = self.dense_and_residual(
            &format!("{source}.attention.output"),
            [hidden, hidden],
            &context,
            residual,
        )?;

        let linear = Linear {
            name: format!("layer.{layer}.intermediate"),
            parts: vec![format!("{source}.intermediate.dense")],
            outputs: intermediate,
            inputs: hidden,
        };
        let wide = self.product(&linear, &attended, None)?;
        let bias = self.bias(&linear)?;
        let wide = self.graph.add(
            &format!("layer.{layer}.gelu"),
            Operation::microsoft("BiasGelu", &[&wide, &bias]),
        );
        self.dense_and_residual(
            &format!("{source}.output"),
            [hidden, intermediate],
            &wide,
            &attended,
        )
    }

    /// `LayerNorm(dense(input) + residual)`, as every half of a layer ends.
    fn dense_and_residual(
        &mut self,
        source: &str,
        [outputs, inputs]: [usize; 2],
        input: &str,
        residual: &str,
    ) -> Result<Value, Error> {
        let linear = Linear {
            name: short(source).to_owned(),
            parts: vec![format!("{source}.dense")],
            outputs,
            inputs,
        };
        let dense = self.product(&linear, input, None)?;
        let bias = self.bias(&linear)?;
        self.skip_normalization(
            &format!("{source}.LayerNorm"),
            &dense,
            residual,
            Some(&bias),
        )
    }

    fn skip_normalization(
        &mut self,
        source: &str,
        input: &str,
        skip: &str,
        bias: Option<&str>,
    ) -> Result<Value, Error> {
        let [scale, shift] = self.source.normalization(&mut self.graph, source)?;
        let mut inputs = vec![input, skip, &scale, &shift];
        inputs.extend(bias);
        let operation = Operation::microsoft("SkipLayerNormalization", &inputs);
        let operation = operation.float("epsilon", self.architecture.epsilon);
        Ok(self.graph.add(short(source), operation))
    }

    fn product(
        &mut self,
        linear: &Linear,
        input: &str,
        bias: Option<&str>,
    ) -> Result<Value, Error> {
        let parts = self.source.matrices(linear)?;
        let matrix =
            self.source
                .copy(&mut self.graph, &format!("{}.weight", linear.name), &parts)?;
        let mut inputs = vec![input, &matrix];
        inputs.extend(bias);
        let product = Operation::standard("Gemm", &inputs).integer("transB", 1);
        Ok(self.graph.add(&format!("{}.product", linear.name), product))
    }

    fn bias(&mut self, linear: &Linear) -> Result<Value, Error> {
        self.source.bias(&mut self.graph, linear)
    }

    fn by_text(&mut self, rows: &str) -> Value {
        let texts = self.shapes.texts.clone();
        self.graph.add(
            &format!("{rows}.texts"),
            Operation::standard("Reshape", &[rows, &texts]),
        )
    }
}
