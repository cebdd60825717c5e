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

/// Feeds an input of the first node of an operator from elsewhere.
fn feed(graph: &mut Graph, operator: &str, input: usize, from: &str) {
    graph.operator(operator).input[input] = from.to_owned();
}

/// Every damage.
pub const DAMAGES: &[Damage] = &[
    // Attributes.
    graph!(Fp32, "6148914691236517206 heads", |graph| graph
        .operator("Attention")
        .attribute("heads")
        .i =
        Some(0x5555_5555_5555_5556)),
    graph!(Int8, "6148914691236517206 heads", |graph| graph
        .operator("AttentionQuantized")
        .attribute("heads")
        .i =
        Some(0x5555_5555_5555_5556)),
    graph!(Fp32, "0 heads", |graph| graph
        .operator("Attention")
        .attribute("heads")
        .i = Some(0)),
    graph!(Fp32, "-4 heads", |graph| graph
        .operator("Attention")
        .attribute("heads")
        .i = Some(-4)),
    graph!(Fp32, "5 heads", |graph| graph
        .operator("Attention")
        .attribute("heads")
        .i = Some(5)),
    graph!(Fp32, "heads has no value", |graph| graph
        .operator("Attention")
        .attribute("heads")
        .i = None),
    graph!(Fp32, "attributes are not", |graph| graph
        .operator("Attention")
        .attribute
        .truncate(2)),
    graph!(Fp32, "width is 0", |graph| graph
        .operator("Attention")
        .attribute("width")
        .i = Some(0)),
    graph!(Fp32, "width is 9223372036854775807", |graph| graph
        .operator("Attention")
        .attribute("width")
        .i =
        Some(i64::MAX)),
    graph!(Int8, "width is 63", |graph| graph
        .operator("GeluQuantized")
        .attribute("width")
        .i = Some(63)),
    graph!(Fp32, "first_only is 2", |graph| graph
        .operator("Attention")
        .attribute("first_only")
        .i = Some(2)),
    graph!(Fp32, "attention.output.LayerNorm", |graph| graph
        .operator("Attention")
        .attribute("first_only")
        .i = Some(1)),
    graph!(Fp32, "epsilon is NaN", |graph| graph
        .operator("EmbedTokens")
        .attribute("epsilon")
        .f = Some(f32::NAN)),
    graph!(Fp32, "epsilon is -1", |graph| graph
        .operator("AddLayerNormalization")
        .attribute("epsilon")
        .f = Some(-1.0)),
    graph!(Fp32, "padding_id -2", |graph| graph
        .operator("EmbedTokens")
        .attribute("padding_id")
        .i = Some(-2)),
    graph!(Fp32, "padding_id 9223372036854775807", |graph| graph
        .operator("EmbedTokens")
        .attribute("padding_id")
        .i =
        Some(i64::MAX)),
    graph!(Fp32, "too few for 64 tokens", |graph| graph
        .operator("EmbedTokens")
        .attribute("padding_id")
        .i = Some(3)),
    // Lengths of vectors.
    graph!(
        Int8,
        "the length of layer.0.intermediate.sum is 64, not 63",
        |graph| graph.tensor("0.intermediate.scale").shorten()
    ),
    graph!(
        Int8,
        "the length of layer.0.intermediate.sum is 63",
        |graph| graph.tensor("0.intermediate.sum").shorten()
    ),
    graph!(
        Int8,
        "the length of layer.0.intermediate.bias is 63",
        |graph| graph.tensor("0.intermediate.bias").shorten()
    ),
    graph!(Fp32, "not one of 1 dimensions", |graph| graph
        .tensor("0.intermediate.bias")
        .dims =
        vec![24, 4]),
    graph!(Fp32, "the number of panels is 3, not 2", |graph| {
        let bias = graph.tensor("0.intermediate.bias");
        bias.dims = vec![64];
        bias.raw_data.as_mut().unwrap().truncate(64 * 4);
    }),
    graph!(Fp32, "LayerNorm.scale is 47", |graph| graph
        .tensor("embeddings.LayerNorm.scale")
        .shorten()),
    graph!(Fp32, "LayerNorm.shift is 47", |graph| graph
        .tensor("embeddings.LayerNorm.shift")
        .shorten()),
    graph!(Int8, "LayerNorm.scale is 31", |graph| graph
        .tensor("0.output.LayerNorm.scale")
        .shorten()),
    graph!(Int8, "LayerNorm.shift is 31", |graph| graph
        .tensor("0.output.LayerNorm.shift")
        .shorten()),
    graph!(
        Int8,
        "the length of embeddings.words.scale is 506",
        |graph| graph.tensor("words.scale").shorten()
    ),
    // Shapes of tables and matrices.
    graph!(Int8, "takes 16256", |graph| graph
        .tensor("embeddings.words")
        .dims = vec![508, 32]),
    graph!(Int8, "position table is 16", |graph| graph
        .tensor("embeddings.positions")
        .dims =
        vec![80, 16]),
    graph!(Fp32, "too few for 64 tokens", |graph| graph
        .tensor("embeddings.positions")
        .shorten()),
    graph!(Int8, "the number of inputs is 64", |graph| graph
        .tensor("0.intermediate.weight")
        .dims =
        vec![1, 16, 32, 4]),
    graph!(Int8, "not one of 4 dimensions", |graph| graph
        .tensor("0.intermediate.weight")
        .dims =
        vec![2, 8, 128]),
    graph!(Fp32, "the width of a panel is 16", |graph| graph
        .tensor("0.intermediate.weight")
        .dims =
        vec![6, 48, 16]),
    graph!(Fp32, "has the shape [-3", |graph| graph
        .tensor("0.intermediate.weight")
        .dims[0] = -3),
    graph!(Fp32, "has the shape [0", |graph| graph
        .tensor("0.intermediate.weight")
        .dims[0] = 0),
    graph!(Fp32, "too large", |graph| graph
        .tensor("0.intermediate.weight")
        .dims =
        vec![i64::MAX, i64::MAX, 32]),
    graph!(Fp32, "element type 9", |graph| graph
        .tensor("0.intermediate.weight")
        .data_type = 9),
    graph!(Int8, "is of Float, not Int32", |graph| graph
        .tensor("0.intermediate.sum")
        .data_type = 1),
    graph!(Fp32, "exists twice", |graph| graph
        .tensor("0.intermediate.bias")
        .name =
        "layer.0.intermediate.weight".to_owned()),
    graph!(Fp32, "and is not in the graph itself", |graph| graph
        .tensor("0.intermediate.bias")
        .raw_data =
        None),
    graph!(Fp32, "pooling.axis is not 0", |graph| graph
        .tensor("pooling.axis")
        .raw_data =
        Some(5_i64.to_le_bytes().into())),
    graph!(Fp32, "the smallest norm", |graph| graph
        .tensor("norm.smallest")
        .raw_data =
        Some(f32::NAN.to_le_bytes().into())),
    // Values from the wrong node: the places of outliers belong to other rows, or are a constant of the file.
    graph!(
        Int8,
        "are not the two tensors of the same quantized rows",
        |graph| { feed(graph, "QuantizedLinear", 1, "layer.0.intermediate.scale") }
    ),
    graph!(
        Int8,
        "are not the two tensors of the same quantized rows",
        |graph| {
            let gelu = graph.operator("GeluQuantized").output[1].clone();
            let linear = graph
                .node
                .iter_mut()
                .filter(|node| node.op_type == "QuantizedLinear");
            linear.last().unwrap().input[1] = gelu
        }
    ),
    graph!(Int8, "no earlier node gives its input", |graph| feed(
        graph,
        "QuantizedLinear",
        1,
        "layer.1.gelu.rounding"
    )),
    graph!(Fp32, "is not rows of floats", |graph| feed(
        graph,
        "Linear",
        0,
        "embeddings.words"
    )),
    graph!(Fp32, "is not what it must be", |graph| feed(
        graph,
        "AddLayerNormalization",
        1,
        "embeddings.positions"
    )),
    graph!(Fp32, "is not what it must be", |graph| feed(
        graph,
        "Attention",
        1,
        "input_ids"
    )),
    graph!(
        Fp32,
        "is not the output of a matrix multiplication",
        |graph| feed(graph, "Attention", 0, "embeddings")
    ),
    graph!(Fp32, "is not a constant", |graph| feed(
        graph, "Linear", 2, "lengths"
    )),
    graph!(Fp32, "the number of inputs is 2", |graph| graph
        .operator("Linear")
        .input
        .truncate(2)),
    graph!(Fp32, "outputs", |graph| graph
        .operator("Linear")
        .output
        .clear()),
    graph!(Fp32, "writes no such operator", |graph| graph
        .operator("Linear")
        .op_type =
        "QuantizedMagic".to_owned()),
    graph!(Fp32, "writes no such operator", |graph| graph
        .operator("Div")
        .op_type =
        "If".to_owned()),
    graph!(Fp32, "it has no nodes", |graph| graph.node.clear()),
    graph!(Fp32, "not one unit vector", |graph| graph
        .node
        .truncate(graph.node.len() - 1)),
    graph!(Fp32, "its inputs and outputs", |graph| graph
        .input
        .reverse()),
    graph!(Fp32, "its inputs and outputs", |graph| graph.output.clear()),
    // Places in the file of weights.
    graph!(External, "not offset", |graph| graph.external(1).shift(3)),
    graph!(External, "not offset", |graph| graph.external(1).shift(4)),
    graph!(External, "not offset", |graph| graph
        .external(1)
        .shift(4096)),
    graph!(External, "not offset", |graph| *graph
        .external(1)
        .place("offset") =
        "0".to_owned()),
    graph!(External, "not offset", |graph| *graph
        .external(0)
        .place("offset") =
        "-1".to_owned()),
    graph!(External, "not offset", |graph| *graph
        .external(0)
        .place("offset") =
        u64::MAX.to_string()),
    graph!(External, "not length", |graph| *graph
        .external(1)
        .place("length") =
        "4".to_owned()),
    graph!(External, "not location", |graph| *graph
        .external(1)
        .place("location") =
        "/dev/zero".to_owned()),
    graph!(External, "not location", |graph| *graph
        .external(1)
        .place("location") =
        "../model.onnx.data".to_owned()),
    graph!(External, "entries of external data", |graph| graph
        .external(1)
        .external_data
        .truncate(2)),
    // Files.
    file!(External, "truncated or damaged", |directory| cut(
        directory,
        WEIGHTS_FILE,
        |length| length - 1
    )),
    file!(External, "truncated or damaged", |directory| cut(
        directory,
        WEIGHTS_FILE,
        |length| length / 2
    )),
    file!(External, "truncated or damaged", |directory| cut(
        directory,
        WEIGHTS_FILE,
        |_| 0
    )),
    file!(External, "truncated or damaged", |directory| append(
        directory,
        WEIGHTS_FILE,
        &[0]
    )),
    file!(External, "model.onnx.data", |directory| fs::remove_file(
        directory.join(WEIGHTS_FILE)
    )
    .unwrap()),
    file!(Fp32, "it has no model.onnx", |directory| fs::remove_file(
        directory.join(GRAPH_FILE)
    )
    .unwrap()),
    file!(Fp32, "model.onnx", |directory| cut(
        directory,
        GRAPH_FILE,
        |_| 0
    )),
    file!(Fp32, "not a valid ONNX graph", |directory| cut(
        directory,
        GRAPH_FILE,
        |length| length - 1
    )),
    file!(Fp32, "not a valid ONNX graph", |directory| cut(
        directory,
        GRAPH_FILE,
        |length| length / 2
    )),
    file!(Fp32, "not a valid ONNX graph", |directory| append(
        directory,
        GRAPH_FILE,
        &[0xFF; 40]
    )),
    // An empty field of a number that the exporter does not write, such as functions of the model.
    file!(Fp32, "more than the exporter writes", |directory| append(
        directory,
        GRAPH_FILE,
        &[0xCA, 0x01, 0x00]
    )),
    file!(Fp32, "model.json", |directory| cut(
        directory,
        "model.json",
        |_| 0
    )),
    file!(Fp32, "with 47 floats", |directory| replace(
        directory,
        "model.json",
        "\"dimensions\": 48",
        "\"dimensions\": 47"
    )),
    file!(Fp32, "too few for 65 tokens", |directory| replace(
        directory,
        "model.json",
        "\"max_tokens\": 64",
        "\"max_tokens\": 65"
    )),
    file!(Fp32, "tokenizer", |directory| cut(
        directory,
        "tokenizer.json",
        |_| 0
    )),
];
