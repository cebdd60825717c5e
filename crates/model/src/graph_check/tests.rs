use std::path::{Path, PathBuf};

use prost::Message;
use tempfile::TempDir;

use super::check;
use crate::export::{Options, export};
use crate::external_data::EXTERNAL_DATA_FILE;
use crate::onnx::{AttributeType, Model, Node, Tensor};
use crate::{GRAPH_FILE, ModelDirectory, Precision};

/// An exported fixture whose files a test may edit.
struct Exported {
    directory: TempDir,
}

impl Exported {
    fn new(fixture: &str, precision: Precision) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures")
            .join(fixture);
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            name: fixture.to_owned(),
            revision: None,
            precision,
        };
        export(&source, directory.path(), &options).unwrap();
        Self { directory }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    fn graph(&self) -> Model {
        let bytes = std::fs::read(self.path(GRAPH_FILE)).unwrap();
        Model::decode(bytes.as_slice()).unwrap()
    }

    /// The error of the check, with its causes; nothing if the check passes.
    fn refused(&self) -> Option<String> {
        let directory = ModelDirectory::open(self.directory.path()).unwrap();
        let error = check(&directory).err()?;
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
            error.source()
        });
        Some(
            causes
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(": "),
        )
    }

    /// The error after an edit of the graph, which is undone.
    fn refused_after(&self, edit: impl FnOnce(&mut Model)) -> Option<String> {
        let before = std::fs::read(self.path(GRAPH_FILE)).unwrap();
        let mut graph = self.graph();
        edit(&mut graph);
        std::fs::write(self.path(GRAPH_FILE), graph.encode_to_vec()).unwrap();
        let refused = self.refused();
        std::fs::write(self.path(GRAPH_FILE), before).unwrap();
        refused
    }
}

fn node<'a>(model: &'a mut Model, operator: &str) -> &'a mut Node {
    let nodes = &mut model.graph.as_mut().unwrap().node;
    nodes
        .iter_mut()
        .find(|node| node.op_type == operator)
        .unwrap_or_else(|| panic!("no {operator}"))
}

/// The constant that is an input of the first node of an operator.
fn constant<'a>(model: &'a mut Model, operator: &str, input: usize) -> &'a mut Tensor {
    let name = node(model, operator).input[input].clone();
    let tensors = &mut model.graph.as_mut().unwrap().initializer;
    tensors
        .iter_mut()
        .find(|tensor| tensor.name == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

fn set_integer(model: &mut Model, operator: &str, attribute: &str, value: i64) {
    let attributes = &mut node(model, operator).attribute;
    let attribute = attributes
        .iter_mut()
        .find(|candidate| candidate.name == attribute);
    attribute.unwrap().i = Some(value);
}

fn set_float(model: &mut Model, operator: &str, attribute: &str, value: f32) {
    let attributes = &mut node(model, operator).attribute;
    let attribute = attributes
        .iter_mut()
        .find(|candidate| candidate.name == attribute);
    attribute.unwrap().f = Some(value);
}

/// Removes the last row of a constant, so that it is still a valid tensor.
fn shorten(tensor: &mut Tensor) {
    let data = tensor.raw_data.as_mut().unwrap();
    let row = data.len() / tensor.dims[0] as usize;
    data.truncate(data.len() - row);
    tensor.dims[0] -= 1;
}

fn assert_refused(exported: &Exported, what: &str, words: &str, edit: impl FnOnce(&mut Model)) {
    let refused = exported.refused_after(edit);
    let refused = refused.unwrap_or_else(|| panic!("{what} is accepted"));
    assert!(refused.contains(words), "{what}: {refused}");
}

#[test]
fn a_graph_as_it_was_exported_passes() {
    for fixture in ["tiny-bert", "tiny-xlm-roberta"] {
        for precision in [Precision::Fp32, Precision::Int8] {
            assert_eq!(
                Exported::new(fixture, precision).refused(),
                None,
                "{fixture}"
            );
        }
    }
}

#[test]
fn attributes_that_do_not_fit_are_refused() {
    let exported = Exported::new("tiny-bert", Precision::Fp32);
    for heads in [0, -1, 5, i64::MIN, i64::MAX, 0x5555_5555_5555_5556] {
        assert_refused(&exported, "heads", "heads do not divide", |model| {
            set_integer(model, "Attention", "heads", heads);
        });
    }
    for (operator, attribute, value, words) in [
        ("Attention", "width", 0, "width is 0"),
        ("Attention", "width", i64::MAX, "width is"),
        ("Attention", "first_only", 2, "first_only is 2"),
        ("Gelu", "width", 1, "width is 1"),
        ("Gelu", "width", -32, "width is -32"),
        ("EmbedTokens", "padding_id", -5, "padding_id -5"),
        ("EmbedTokens", "padding_id", i64::MAX, "padding_id"),
        ("EmbedTokens", "padding_id", 1 << 40, "too few"),
    ] {
        assert_refused(&exported, attribute, words, |model| {
            set_integer(model, operator, attribute, value);
        });
    }
    for epsilon in [f32::NAN, f32::INFINITY, -1.0, 1.0] {
        assert_refused(&exported, "epsilon", "not between 0 and 1", |model| {
            set_float(model, "AddLayerNormalization", "epsilon", epsilon);
        });
    }
    assert_refused(&exported, "a missing attribute", "attributes", |model| {
        node(model, "Attention").attribute.pop();
    });
    assert_refused(&exported, "an attribute of another type", "type", |model| {
        node(model, "Attention").attribute[1].r#type = AttributeType::Float.into();
    });
}

#[test]
fn vectors_and_matrices_of_another_length_are_refused() {
    for (precision, operator, inputs) in [
        (Precision::Fp32, "AddLayerNormalization", 2..4),
        (Precision::Fp32, "Linear", 1..3),
        (Precision::Fp32, "EmbedTokens", 4..6),
        (Precision::Int8, "AddLayerNormalizationQuantized", 2..4),
        (Precision::Int8, "QuantizedLinear", 2..6),
        (Precision::Int8, "EmbedTokensQuantized", 4..7),
    ] {
        let exported = Exported::new("tiny-bert", precision);
        for input in inputs {
            let what = format!("a shorter input {input} of {operator}");
            assert_refused(&exported, &what, "", |model| {
                shorten(constant(model, operator, input));
            });
        }
    }
}

#[test]
fn tensors_that_contradict_their_data_are_refused() {
    let exported = Exported::new("tiny-bert", Precision::Fp32);
    for (what, dims) in [
        ("an empty shape", vec![]),
        ("a negative size", vec![-1]),
        ("a size of zero", vec![0]),
        ("a shape that overflows", vec![i64::MAX, i64::MAX]),
        ("another shape", vec![1, 1, 1]),
    ] {
        assert_refused(&exported, what, "", |model| {
            constant(model, "Linear", 2).dims = dims;
        });
    }
    for element in [0, 2, 3, 6, 99] {
        assert_refused(&exported, "another element type", "", |model| {
            constant(model, "Linear", 2).data_type = element;
        });
    }
    assert_refused(&exported, "data that is missing", "", |model| {
        constant(model, "Linear", 2).raw_data = None;
    });
    assert_refused(
        &exported,
        "a tensor that exists twice",
        "exists twice",
        |model| {
            let tensor = constant(model, "Linear", 2).clone();
            model.graph.as_mut().unwrap().initializer.push(tensor);
        },
    );
}

#[test]
fn external_data_in_another_place_is_refused() {
    let exported = Exported::new("tiny-xlm-roberta", Precision::Fp32);
    let edit = |model: &mut Model, key: &str, change: &dyn Fn(u64) -> String| {
        let tensors = &mut model.graph.as_mut().unwrap().initializer;
        let entries = tensors
            .iter_mut()
            .flat_map(|tensor| &mut tensor.external_data);
        let entry = entries.into_iter().find(|entry| entry.key == key).unwrap();
        entry.value = change(entry.value.parse().unwrap_or_default());
    };
    for shift in [3, 4, 4096] {
        assert_refused(&exported, "a shifted offset", "offset", |model| {
            edit(model, "offset", &|offset| (offset + shift).to_string());
        });
    }
    for (key, value) in [
        ("offset", "-1"),
        ("offset", "18446744073709551615"),
        ("offset", "text"),
        ("length", "0"),
        ("length", "18446744073709551615"),
        ("location", "../model.onnx.data"),
        ("location", "/dev/zero"),
        ("location", ""),
    ] {
        assert_refused(&exported, key, key, |model| {
            edit(model, key, &|_| value.to_owned());
        });
    }
}

#[test]
fn a_file_of_weights_of_another_length_is_refused() {
    let exported = Exported::new("tiny-xlm-roberta", Precision::Fp32);
    let path = exported.path(EXTERNAL_DATA_FILE);
    let weights = std::fs::read(&path).unwrap();
    for length in [0, weights.len() - 1, weights.len() + 1] {
        let mut damaged = weights.clone();
        damaged.resize(length, 0);
        std::fs::write(&path, damaged).unwrap();
        let refused = exported.refused().unwrap();
        assert!(refused.contains("truncated or damaged"), "{refused}");
    }
    std::fs::remove_file(&path).unwrap();
    let refused = exported.refused().unwrap();
    assert!(refused.contains(EXTERNAL_DATA_FILE), "{refused}");
}

#[test]
fn nodes_that_are_connected_otherwise_are_refused() {
    let exported = Exported::new("tiny-bert", Precision::Int8);
    assert_refused(
        &exported,
        "an unknown input",
        "no earlier node gives",
        |model| {
            node(model, "Gather").input[0] = "elsewhere".to_owned();
        },
    );
    // The places of outliers come from the node that has quantized the same rows, never from a constant or another node.
    assert_refused(
        &exported,
        "a constant quantization",
        "not the two tensors",
        |model| {
            let scale = node(model, "QuantizedLinear").input[3].clone();
            node(model, "QuantizedLinear").input[1] = scale;
        },
    );
    assert_refused(
        &exported,
        "another node's quantization",
        "not the two tensors",
        |model| {
            let other = node(model, "GeluQuantized").output[1].clone();
            let nodes = &mut model.graph.as_mut().unwrap().node;
            let last = nodes
                .iter_mut()
                .rfind(|node| node.op_type == "QuantizedLinear");
            last.unwrap().input[1] = other;
        },
    );
    assert_refused(
        &exported,
        "an unknown operator",
        "no such operator",
        |model| {
            node(model, "GeluQuantized").op_type = "Relu".to_owned();
        },
    );
    assert_refused(&exported, "a missing node", "", |model| {
        model.graph.as_mut().unwrap().node.remove(2);
    });
    assert_refused(&exported, "a graph without nodes", "no nodes", |model| {
        model.graph.as_mut().unwrap().node.clear();
    });
    assert_refused(
        &exported,
        "another version of the operators",
        "operator sets",
        |model| {
            model.opset_import[1].version = 2;
        },
    );
}

#[test]
fn a_field_that_the_exporter_does_not_write_is_refused() {
    let exported = Exported::new("tiny-bert", Precision::Fp32);
    let path = exported.path(GRAPH_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    // Field 20 of the model, local functions, which could replace an operator.
    bytes.extend([0xca, 0x01, 0x00]);
    std::fs::write(&path, bytes).unwrap();
    let refused = exported.refused().unwrap();
    assert!(
        refused.contains("more than the exporter writes"),
        "{refused}"
    );
}
