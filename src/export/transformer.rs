//! The fused ONNX graph of a BERT or XLM-RoBERTa encoder, from token ids to unit vectors.
//!
//! Matrices stay as the checkpoint has them, `[out, in]`: `Gemm` takes them transposed, so they are copied byte for
//! byte. Tokens flow as rows of a `[batch x sequence, hidden]` matrix; only attention sees the batch. Attention without
//! padding leaves the mask away, because ONNX Runtime's flash attention takes none and everything else needs memory
//! that grows with the square of the length. For CLS pooling the last layer computes only what the first token needs.

use super::Error;
use super::checkpoint::{Architecture, Checkpoint, Positions};
use super::graph::{GraphBuilder, Operation, Size, Value, value_info};
use super::onnx::{ElementType, Model};
use super::safetensors::TensorPlace;
use super::weights::WeightsWriter;
use crate::model::{Pooling, VECTORS_OUTPUT};

const IDS: &str = "input_ids";
const MASK: &str = "attention_mask";
/// As in `torch.nn.functional.normalize`.
const SMALLEST_NORM: f32 = 1e-12;

/// Writes the weights and gives the graph that uses them.
pub fn build(checkpoint: &mut Checkpoint, weights: &mut WeightsWriter) -> Result<Model, Error> {
    let architecture = checkpoint.architecture.clone();
    let pooling = checkpoint.sentence.pooling;
    let mut writer = TransformerWriter {
        graph: GraphBuilder::default(),
        shapes: Shapes::default(),
        architecture,
        checkpoint,
        weights,
    };
    writer.declare_shapes();
    let embedded = writer.embeddings()?;
    let vectors = writer.encode(embedded, pooling)?;
    writer.normalize(&vectors);
    let batch_by_sequence = || [Size::Named("batch"), Size::Named("sequence")];
    let hidden = writer.hidden();
    Ok(writer.graph.finish(
        "encoder",
        vec![
            value_info(IDS, ElementType::Int64, &batch_by_sequence()),
            value_info(MASK, ElementType::Int64, &batch_by_sequence()),
        ],
        vec![value_info(
            VECTORS_OUTPUT,
            ElementType::Float,
            &[Size::Named("batch"), Size::Fixed(hidden)],
        )],
    ))
}

struct TransformerWriter<'a> {
    graph: GraphBuilder,
    shapes: Shapes,
    architecture: Architecture,
    checkpoint: &'a mut Checkpoint,
    weights: &'a mut WeightsWriter,
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

/// One fully connected part: input, name, rows of its matrices and of its bias.
struct Linear<'a> {
    name: String,
    /// Names of the checkpoint's parts that are stacked into one matrix.
    parts: &'a [String],
    outputs: usize,
    inputs: usize,
}

impl TransformerWriter<'_> {
    fn hidden(&self) -> usize {
        self.architecture.hidden.get()
    }

    fn declare_shapes(&mut self) {
        let hidden = self.hidden() as i64;
        let graph = &mut self.graph;
        let rest = graph.integers("shape.rest", &[1], &[-1]);
        let one = graph.integers("mask.one", &[], &[1]);
        let batch_by_sequence = graph.add("shape.ids", Operation::standard("Shape", &[IDS]));
        let smallest = graph.add(
            "mask.smallest",
            Operation::standard("ReduceMin", &[MASK]).integer("keepdims", 0),
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
                Operation::standard("Cast", &[MASK]).integer("to", ElementType::Int32 as i64),
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
        let (hidden, vocabulary) = (self.hidden(), self.architecture.vocabulary);
        let table = self
            .checkpoint
            .find("embeddings.word_embeddings.weight", &[vocabulary, hidden])?;
        let table = self.copied("embeddings.words", &[table])?;
        let words = self.graph.add(
            "embeddings.word",
            Operation::standard("Gather", &[&table, IDS]),
        );
        let table = self.position_table()?;
        let positions = match self.architecture.positions {
            Positions::FromZero => self.positions_from_zero(&table),
            Positions::AfterPadding { padding_id } => {
                self.positions_after_padding(&table, padding_id)
            }
        };
        let sum = self.skip_normalization("embeddings.LayerNorm", &words, &positions, None)?;
        let rows = self.shapes.rows.clone();
        Ok(self.graph.add(
            "embeddings.rows",
            Operation::standard("Reshape", &[&sum, &rows]),
        ))
    }

    /// The position table, with the row of the only token type that is ever used added to each of its rows.
    fn position_table(&mut self) -> Result<Value, Error> {
        let hidden = self.hidden();
        let Architecture {
            position_rows,
            token_types,
            ..
        } = self.architecture;
        let place = self.checkpoint.find(
            "embeddings.position_embeddings.weight",
            &[position_rows, hidden],
        )?;
        let mut table = self.checkpoint.weights.read(&place)?;
        let place = self.checkpoint.find(
            "embeddings.token_type_embeddings.weight",
            &[token_types, hidden],
        )?;
        let types = self.checkpoint.weights.read(&place)?;
        for row in table.chunks_exact_mut(hidden) {
            for (cell, added) in row.iter_mut().zip(&types) {
                *cell += added;
            }
        }
        let tensor =
            self.weights
                .floats("embeddings.positions", &[position_rows, hidden], &table)?;
        Ok(self.graph.weight(tensor))
    }

    fn positions_from_zero(&mut self, table: &str) -> Value {
        let graph = &mut self.graph;
        let zero = graph.integers("position.zero", &[1], &[0]);
        let sequence = graph.add(
            "position.sequence",
            Operation::standard("Shape", &[IDS]).integer("start", 1),
        );
        graph.add(
            "position.rows",
            Operation::standard("Slice", &[table, &zero, &sequence, &zero]),
        )
    }

    fn positions_after_padding(&mut self, table: &str, padding_id: i64) -> Value {
        let graph = &mut self.graph;
        let padding = graph.integers("position.padding", &[], &[padding_id]);
        let axis = graph.integers("position.axis", &[], &[1]);
        let is_padding = graph.add(
            "position.is_padding",
            Operation::standard("Equal", &[IDS, &padding]),
        );
        let is_token = graph.add(
            "position.is_token",
            Operation::standard("Not", &[&is_padding]),
        );
        let token = graph.add(
            "position.token",
            Operation::standard("Cast", &[&is_token]).integer("to", ElementType::Int64 as i64),
        );
        let count = graph.add(
            "position.count",
            Operation::standard("CumSum", &[&token, &axis]),
        );
        let counted = graph.add(
            "position.counted",
            Operation::standard("Mul", &[&count, &token]),
        );
        let index = graph.add(
            "position.index",
            Operation::standard("Add", &[&counted, &padding]),
        );
        graph.add(
            "position.rows",
            Operation::standard("Gather", &[table, &index]),
        )
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
                Ok(self.mean(&tokens))
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
        let hidden = self.hidden();
        let parts: Vec<String> = roles
            .iter()
            .map(|role| format!("encoder.layer.{layer}.attention.self.{role}"))
            .collect();
        let linear = Linear {
            name: format!("layer.{layer}.attention.{}", roles.join("_")),
            parts: &parts,
            outputs: hidden,
            inputs: hidden,
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

        let parts = [format!("{source}.intermediate.dense")];
        let linear = Linear {
            name: format!("layer.{layer}.intermediate"),
            parts: &parts,
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
        let parts = [format!("{source}.dense")];
        let linear = Linear {
            name: source.trim_start_matches("encoder.").to_owned(),
            parts: &parts,
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
        let name = source.trim_start_matches("encoder.");
        let hidden = self.hidden();
        let scale = self
            .checkpoint
            .find(&format!("{source}.weight"), &[hidden])?;
        let scale = self.copied(&format!("{name}.scale"), &[scale])?;
        let shift = self.checkpoint.find(&format!("{source}.bias"), &[hidden])?;
        let shift = self.copied(&format!("{name}.shift"), &[shift])?;
        let mut inputs = vec![input, skip, &scale, &shift];
        inputs.extend(bias);
        let epsilon = self.architecture.epsilon;
        Ok(self.graph.add(
            name,
            Operation::microsoft("SkipLayerNormalization", &inputs).float("epsilon", epsilon),
        ))
    }

    fn product(
        &mut self,
        linear: &Linear<'_>,
        input: &str,
        bias: Option<&str>,
    ) -> Result<Value, Error> {
        let parts = self.parts(linear, "weight", &[linear.outputs, linear.inputs])?;
        let matrix = self.copied(&format!("{}.weight", linear.name), &parts)?;
        let mut inputs = vec![input, &matrix];
        inputs.extend(bias);
        Ok(self.graph.add(
            &format!("{}.product", linear.name),
            Operation::standard("Gemm", &inputs).integer("transB", 1),
        ))
    }

    fn bias(&mut self, linear: &Linear<'_>) -> Result<Value, Error> {
        let parts = self.parts(linear, "bias", &[linear.outputs])?;
        self.copied(&format!("{}.bias", linear.name), &parts)
    }

    fn parts(
        &self,
        linear: &Linear<'_>,
        kind: &str,
        shape: &[usize],
    ) -> Result<Vec<TensorPlace>, Error> {
        linear
            .parts
            .iter()
            .map(|part| self.checkpoint.find(&format!("{part}.{kind}"), shape))
            .collect()
    }

    fn copied(&mut self, name: &str, parts: &[TensorPlace]) -> Result<Value, Error> {
        let tensor = self
            .weights
            .stack(&mut self.checkpoint.weights, name, parts)?;
        Ok(self.graph.weight(tensor))
    }

    fn by_text(&mut self, rows: &str) -> Value {
        let texts = self.shapes.texts.clone();
        self.graph.add(
            &format!("{rows}.texts"),
            Operation::standard("Reshape", &[rows, &texts]),
        )
    }

    /// Mean over the tokens of each text that are not padding: `[batch, hidden]`.
    fn mean(&mut self, tokens: &str) -> Value {
        let texts = self.by_text(tokens);
        let graph = &mut self.graph;
        let last = graph.integers("pooling.last_axis", &[1], &[-1]);
        let sequence = graph.integers("pooling.sequence_axis", &[1], &[1]);
        let mask = graph.add(
            "pooling.mask",
            Operation::standard("Cast", &[MASK]).integer("to", ElementType::Float as i64),
        );
        let mask = graph.add(
            "pooling.column",
            Operation::standard("Unsqueeze", &[&mask, &last]),
        );
        let own = graph.add("pooling.own", Operation::standard("Mul", &[&texts, &mask]));
        let reduce = |input: &str| {
            Operation::standard("ReduceSum", &[input, &sequence]).integer("keepdims", 0)
        };
        let sum = graph.add("pooling.sum", reduce(&own));
        let count = graph.add("pooling.count", reduce(&mask));
        graph.add("pooling.mean", Operation::standard("Div", &[&sum, &count]))
    }

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
}
