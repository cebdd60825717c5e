//! The damages: what is done to a model directory, and what the error says.

use std::fs;
use std::path::Path;

use model::GRAPH_FILE;

use super::WEIGHTS_FILE;
use crate::support::graph::edit;
use crate::support::graph::onnx::Graph;

/// Which small model is damaged.
#[derive(Clone, Copy)]
pub enum Original {
    Fp16,
    Fp32,
    Int8,
    External,
}

/// One damage.
pub struct Damage {
    pub original: Original,
    /// What is done to the directory.
    pub damage: fn(&Path),
    /// What the error says.
    pub named: &'static str,
}

/// A change of the graph.
macro_rules! graph {
    ($original:ident, $named:literal, |$graph:ident| $change:expr) => {
        Damage {
            original: Original::$original,
            damage: |directory| {
                edit(directory, |$graph: &mut Graph| {
                    $change;
                })
            },
            named: $named,
        }
    };
}

/// Another value of an attribute of the first node of an operator.
macro_rules! attribute {
    ($original:ident, $named:literal, $operator:literal, $name:literal, $value:ident = $other:expr) => {
        graph!($original, $named, |graph| {
            graph.operator($operator).attribute($name).$value = $other
        })
    };
}

/// Another shape of a tensor.
macro_rules! shape {
    ($original:ident, $named:literal, $tensor:literal, $shape:expr) => {
        graph!($original, $named, |graph| {
            graph.tensor($tensor).dims = $shape.to_vec()
        })
    };
}

/// A tensor without the last row of its first dimension.
macro_rules! shorten {
    ($original:ident, $named:literal, $tensor:literal) => {
        graph!($original, $named, |graph| graph.tensor($tensor).shorten())
    };
}

/// An input of the first node of an operator that comes from elsewhere.
macro_rules! feed {
    ($original:ident, $named:literal, $operator:literal, $input:literal, $from:literal) => {
        graph!($original, $named, |graph| {
            graph.operator($operator).input[$input] = $from.to_owned()
        })
    };
}

/// Other external data of the tensor with this index in the file of weights.
macro_rules! place {
    ($named:literal, $tensor:literal, $key:literal, $value:expr) => {
        graph!(External, $named, |graph| {
            *graph.external($tensor).place($key) = $value.to_string()
        })
    };
}

/// A change of a file.
macro_rules! file {
    ($original:ident, $named:literal, |$directory:ident| $change:expr) => {
        Damage {
            original: Original::$original,
            damage: |$directory| $change,
            named: $named,
        }
    };
}

/// Keeps the first bytes of a file.
fn cut(directory: &Path, file: &str, keep: impl FnOnce(usize) -> usize) {
    let path = directory.join(file);
    let bytes = fs::read(&path).unwrap();
    fs::write(path, &bytes[..keep(bytes.len())]).unwrap();
}

fn append(directory: &Path, file: &str, more: &[u8]) {
    let path = directory.join(file);
    let bytes = fs::read(&path).unwrap();
    fs::write(path, [&bytes, more].concat()).unwrap();
}

fn replace(directory: &Path, file: &str, from: &str, to: &str) {
    let path = directory.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Every damage, as one row of a table.
#[rustfmt::skip]
pub const DAMAGES: &[Damage] = &[
    // Attributes.
    attribute!(Fp32, "number of heads is 6148914691236517206", "Attention", "heads", i = Some(0x5555_5555_5555_5556)),
    attribute!(Int8, "number of heads is 6148914691236517206",
        "AttentionQuantized", "heads", i = Some(0x5555_5555_5555_5556)),
    attribute!(Fp32, "number of heads is 0", "Attention", "heads", i = Some(0)),
    attribute!(Fp32, "number of heads is -4", "Attention", "heads", i = Some(-4)),
    attribute!(Fp32, "5 heads", "Attention", "heads", i = Some(5)),
    attribute!(Fp32, "it has no number of heads", "Attention", "heads", i = None),
    attribute!(Fp32, "heads without one value", "Attention", "heads", f = Some(4.0)),
    graph!(Fp32, "it has no number of heads", |graph| graph.operator("Attention").attribute.truncate(1)),
    attribute!(Fp32, "width 0", "Attention", "width", i = Some(0)),
    attribute!(Fp32, "width 9223372036854775807", "Attention", "width", i = Some(i64::MAX)),
    attribute!(Fp32, "width of GELU is 9223372036854775807", "Gelu", "width", i = Some(i64::MAX)),
    attribute!(Int8, "rows of [32, 63] bytes", "GeluQuantized", "width", i = Some(63)),
    attribute!(Fp32, "skip 2", "SelectRows", "skip", i = Some(2)),
    attribute!(Fp32, "skip -1", "SelectRows", "skip", i = Some(-1)),
    attribute!(Fp32, "width 9223372036854775807", "NormalizeRows", "width", i = Some(i64::MAX)),
    attribute!(Fp32, "epsilon is NaN", "EmbedTokens", "epsilon", f = Some(f32::NAN)),
    attribute!(Fp32, "epsilon -1", "AddLayerNormalization", "epsilon", f = Some(-1.0)),
    attribute!(Fp32, "padding_id is -2", "EmbedTokens", "padding_id", i = Some(-2)),
    attribute!(Fp32, "padding_id is 9223372036854775807", "EmbedTokens", "padding_id", i = Some(i64::MAX)),
    attribute!(Fp32, "too few for 64 tokens", "EmbedTokens", "padding_id", i = Some(3)),
    attribute!(Fp16, "epsilon is NaN", "HalfEmbedTokens", "epsilon", f = Some(f32::NAN)),
    // Lengths of vectors.
    shorten!(Int8, "layer.0.intermediate.scale has the shape [63], not [64]", "0.intermediate.scale"),
    shorten!(Int8, "layer.0.intermediate.sum has the shape [63]", "0.intermediate.sum"),
    shorten!(Int8, "layer.0.intermediate.bias has the shape [63]", "0.intermediate.bias"),
    shape!(Fp32, "layer.0.intermediate.bias has the shape [24, 4], not [96]", "0.intermediate.bias", [24, 4]),
    graph!(Fp32, "layer.0.intermediate.bias has the shape [64], not [96]",
        |graph| {
            let bias = graph.tensor("0.intermediate.bias");
            bias.dims = vec![64];
            bias.raw_data.as_mut().unwrap().truncate(64 * 4);
        }),
    shorten!(Fp32, "LayerNorm.scale has the shape [47]", "embeddings.LayerNorm.scale"),
    shorten!(Fp32, "LayerNorm.shift has the shape [47]", "embeddings.LayerNorm.shift"),
    shorten!(Int8, "LayerNorm.scale has the shape [31]", "0.output.LayerNorm.scale"),
    shorten!(Int8, "LayerNorm.shift has the shape [31]", "0.output.LayerNorm.shift"),
    shorten!(Int8, "embeddings.words.scale has the shape [506]", "words.scale"),
    // Shapes of tables and matrices.
    shape!(Int8, "the data 16224 bytes, not 16256 bytes", "embeddings.words", [508, 32]),
    shape!(Int8, "embeddings.positions has the shape [80, 16]", "embeddings.positions", [80, 16]),
    shorten!(Fp32, "too few for 64 tokens", "embeddings.positions"),
    shorten!(Fp16, "too few for 64 tokens", "embeddings.positions"),
    shape!(Fp16, "has the shape [6, 48, 16]", "0.intermediate.weight", [6, 48, 16]),
    shape!(Fp32, "number of words is -1", "embeddings.words", [-1, 48]),
    shape!(Fp32, "it has no number of words", "embeddings.words", [0_i64; 0]),
    shape!(Fp32, "number of positions is 9223372036854775807", "embeddings.positions", [i64::MAX, 48]),
    shape!(Int8, "has the shape [1, 16, 32, 4], not [2, 8, 32, 4]", "0.intermediate.weight", [1, 16, 32, 4]),
    shape!(Int8, "has the shape [2, 8, 128]", "0.intermediate.weight", [2, 8, 128]),
    shape!(Fp32, "has the shape [6, 48, 16]", "0.intermediate.weight", [6, 48, 16]),
    shape!(Fp32, "has the shape [-3", "0.intermediate.weight", [-3, 48, 32]),
    shape!(Fp32, "has the shape [0", "0.intermediate.weight", [0, 48, 32]),
    shape!(Fp32, "has the shape [9223372036854775807", "0.intermediate.weight", [i64::MAX, i64::MAX, 32]),
    graph!(Fp32, "element type 9", |graph| graph.tensor("0.intermediate.weight").data_type = 9),
    graph!(Fp16, "element type 1, not 10", |graph| graph.tensor("0.intermediate.weight").data_type = 1),
    graph!(Int8, "element type 1, not 6", |graph| graph.tensor("0.intermediate.sum").data_type = 1),
    graph!(Fp32, "the name layer.0.intermediate.weight, not",
        |graph| { graph.tensor("0.intermediate.bias").name = "layer.0.intermediate.weight".to_owned() }),
    graph!(Fp32, "layer.0.intermediate.bias has the data none",
        |graph| graph.tensor("0.intermediate.bias").raw_data = None),
    graph!(Fp32, "tensor colbert_linear.bias is missing", |graph| graph.initializer.truncate(graph.initializer.len() - 1)),
    graph!(Fp32, "is one too many", |graph| graph.initializer.push(graph.initializer[0].clone())),
    // Values from the wrong node: the places of outliers belong to other rows, or are a constant of the file.
    feed!(Int8, "(QuantizedLinear) has the inputs embeddings.bytes, layer.0.intermediate.scale",
        "QuantizedLinear", 1, "layer.0.intermediate.scale"),
    graph!(Int8, "has the inputs layer.1.gelu.bytes, layer.0.gelu.rounding",
        |graph| {
            let gelu = graph.operator("GeluQuantized").output[1].clone();
            let linear = graph.node.iter_mut().filter(|node| node.op_type == "QuantizedLinear");
            linear.last().unwrap().input[1] = gelu
        }),
    feed!(Int8, "has the inputs embeddings.bytes, layer.1.gelu.rounding",
        "QuantizedLinear", 1, "layer.1.gelu.rounding"),
    feed!(Fp32, "(Linear) has the inputs embeddings.words", "Linear", 0, "embeddings.words"),
    feed!(Fp32, "embeddings.positions", "AddLayerNormalization", 1, "embeddings.positions"),
    feed!(Fp32, "product, input_ids, lengths, not", "Attention", 1, "input_ids"),
    feed!(Fp32, "(Attention) has the inputs embeddings", "Attention", 0, "embeddings"),
    feed!(Fp32, "(Attention) has the inputs", "Attention", 2, "input_ids"),
    feed!(Fp32, "(SelectRows) has the inputs", "SelectRows", 2, "input_ids"),
    feed!(Fp32, "(TokenWeights) has the inputs", "TokenWeights", 0, "colbert_linear.product"),
    feed!(Fp32, "(Linear) has the inputs", "Linear", 2, "lengths"),
    graph!(Fp32, "(Linear) has the inputs", |graph| graph.operator("Linear").input.truncate(2)),
    graph!(Fp32, "(Linear) has the outputs", |graph| graph.operator("Linear").output.clear()),
    feed!(Fp16, "(HalfLinear) has the inputs", "HalfLinear", 2, "lengths"),
    graph!(Fp16, "the operator Linear", |graph| graph.operator("HalfLinear").op_type = "Linear".to_owned()),
    graph!(Fp32, "the operator QuantizedMagic", |graph| graph.operator("Linear").op_type = "QuantizedMagic".to_owned()),
    graph!(Fp32, "the operator If", |graph| graph.operator("NormalizeVectors").op_type = "If".to_owned()),
    graph!(Fp32, "it has no", |graph| graph.node.clear()),
    graph!(Fp32, "node colbert_vecs (NormalizeRows) is missing", |graph| graph.node.truncate(graph.node.len() - 1)),
    graph!(Fp32, "it has the inputs", |graph| graph.input.reverse()),
    graph!(Fp32, "it has the outputs", |graph| graph.output.clear()),
    // Places in the file of weights.
    graph!(External, "offset 258051", |graph| graph.external(1).shift(3)),
    graph!(External, "offset 258052", |graph| graph.external(1).shift(4)),
    graph!(External, "offset 262144", |graph| graph.external(1).shift(4096)),
    place!("offset 0\"", 1, "offset", 0),
    place!("offset -1", 0, "offset", -1),
    place!("offset 18446744073709551615", 0, "offset", u64::MAX),
    place!("length 4\"", 1, "length", 4),
    place!("location /dev/zero", 1, "location", "/dev/zero"),
    place!("location ../model.onnx.data", 1, "location", "../model.onnx.data"),
    graph!(External, "embeddings.positions has the place", |graph| { graph.external(1).external_data.truncate(2) }),
    // Files.
    file!(External, "truncated or damaged", |directory| cut(directory, WEIGHTS_FILE, |length| length - 1)),
    file!(External, "truncated or damaged", |directory| cut(directory, WEIGHTS_FILE, |length| length / 2)),
    file!(External, "truncated or damaged", |directory| cut(directory, WEIGHTS_FILE, |_| 0)),
    file!(External, "truncated or damaged", |directory| append(directory, WEIGHTS_FILE, &[0])),
    file!(External, "model.onnx.data", |directory| fs::remove_file(directory.join(WEIGHTS_FILE)).unwrap()),
    file!(Fp32, "it has no model.onnx", |directory| fs::remove_file(directory.join(GRAPH_FILE)).unwrap()),
    file!(Fp32, "model.onnx", |directory| cut(directory, GRAPH_FILE, |_| 0)),
    file!(Fp32, "not a valid ONNX graph", |directory| cut(directory, GRAPH_FILE, |length| length - 1)),
    file!(Fp32, "not a valid ONNX graph", |directory| cut(directory, GRAPH_FILE, |length| length / 2)),
    file!(Fp32, "not a valid ONNX graph", |directory| append(directory, GRAPH_FILE, &[0xFF; 40])),
    // An empty field of a number that the exporter does not write, such as functions of the model.
    file!(Fp32, "more than the exporter writes", |directory| append(directory, GRAPH_FILE, &[0xCA, 0x01, 0x00])),
    file!(Fp32, "model.json", |directory| cut(directory, "model.json", |_| 0)),
    file!(Fp32, "4 heads do not divide 47 dimensions",
        |directory| { replace(directory, "model.json", "\"dimensions\": 48", "\"dimensions\": 47") }),
    file!(Fp32, "embeddings.words has the element type 1, not 3",
        |directory| replace(directory, "model.json", "\"precision\": \"fp32\"", "\"precision\": \"int8\"")),
    file!(Fp16, "layer.0.intermediate.weight has the element type 10, not 1",
        |directory| replace(directory, "model.json", "\"precision\": \"fp16\"",
            "\"precision\": \"fp16\", \"kept_in_fp32\": [\"layer.0.intermediate\"]")),
    file!(Fp32, "too few for 65 tokens",
        |directory| replace(directory, "model.json", "\"max_tokens\": 64", "\"max_tokens\": 65")),
    file!(Fp32, "tokenizer", |directory| cut(directory, "tokenizer.json", |_| 0)),
];
