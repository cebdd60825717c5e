//! Bytes of weights that one pass through a graph reads.
//!
//! Divided by the memory bandwidth, they are a lower bound of the time that a short text takes.

use std::collections::HashSet;
use std::path::Path;

use prost::Message;

use super::error::Error;
use crate::onnx::{Graph, Model, Node, Tensor};
use crate::operators;

/// Bytes of all weights of the ONNX graph in the file `graph`, without embedding tables, of which a text reads few rows.
///
/// Embedding tables are the first input of a `Gather` and all weights of this crate's own operator for embeddings.
pub fn weight_bytes_per_pass(graph: &Path) -> Result<u64, Error> {
    let bytes = crate::file::read(graph)?;
    let model = Model::decode(bytes.as_slice()).map_err(|error| crate::Error::Graph {
        path: graph.to_owned(),
        source: error.into(),
    })?;
    let graphs = with_subgraphs(model.graph.as_ref());
    let tables: HashSet<&str> = graphs
        .iter()
        .flat_map(|graph| &graph.node)
        .flat_map(embedding_tables)
        .map(String::as_str)
        .collect();
    Ok(graphs
        .iter()
        .flat_map(|graph| &graph.initializer)
        .filter(|tensor| !tables.contains(tensor.name.as_str()))
        .map(Tensor::bytes)
        .sum())
}

/// The inputs of which a node reads only some rows.
fn embedding_tables(node: &Node) -> &[String] {
    match (node.domain.as_str(), node.op_type.as_str()) {
        ("" | "ai.onnx", "Gather") => node.input.get(..1).unwrap_or_default(),
        (operators::DOMAIN, operator) if operators::name::EMBED_TOKENS.contains(&operator) => {
            &node.input
        }
        _ => &[],
    }
}

/// A graph and the subgraphs of its nodes, at any depth.
fn with_subgraphs(graph: Option<&Graph>) -> Vec<&Graph> {
    let mut found: Vec<&Graph> = graph.into_iter().collect();
    let mut next = 0;
    while let Some(graph) = found.get(next).copied() {
        let attributes = graph.node.iter().flat_map(|node| &node.attribute);
        found.extend(attributes.filter_map(|attribute| attribute.g.as_ref()));
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::{Attribute, ElementType};

    fn tensor(name: &str, dims: &[i64], data_type: i32) -> Tensor {
        Tensor {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type,
            ..Tensor::default()
        }
    }

    #[test]
    fn embedding_tables_are_left_out_and_subgraphs_are_counted() {
        let branch = Graph {
            initializer: vec![tensor("inner", &[2, 2], ElementType::Float.into())],
            ..Graph::default()
        };
        let look_up = Node {
            op_type: "Gather".to_owned(),
            input: vec!["words".to_owned(), "ids".to_owned()],
            ..Node::default()
        };
        let embed = Node {
            domain: operators::DOMAIN.to_owned(),
            op_type: operators::name::EMBED_TOKENS[0].to_owned(),
            input: vec!["ids".to_owned(), "quantized words".to_owned()],
            ..Node::default()
        };
        let choice = Node {
            op_type: "If".to_owned(),
            attribute: vec![Attribute {
                g: Some(branch),
                ..Attribute::default()
            }],
            ..Node::default()
        };
        let model = Model {
            graph: Some(Graph {
                node: vec![look_up, embed, choice],
                initializer: vec![
                    tensor("words", &[1000, 8], ElementType::Float.into()),
                    tensor("quantized words", &[1000, 8], 3),
                    tensor("quantized", &[8, 8], 3),
                    tensor("scale", &[], ElementType::Float.into()),
                ],
                ..Graph::default()
            }),
            ..Model::default()
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model.onnx");
        std::fs::write(&path, model.encode_to_vec()).unwrap();
        assert_eq!(weight_bytes_per_pass(&path).unwrap(), 16 + 64 + 4);
    }
}
