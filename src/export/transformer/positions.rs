//! The row of the position table for each token of a padded batch.

use super::super::graph::{GraphBuilder, Operation, Value};
use super::super::onnx::ElementType;
use crate::model::input::IDS;

/// BERT: the first rows, the same for every text.
pub fn from_zero(graph: &mut GraphBuilder, table: &str) -> Value {
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

/// XLM-RoBERTa: tokens that are not padding, by their id, are counted up from the padding id; padding has its id's row.
pub fn after_padding(graph: &mut GraphBuilder, table: &str, padding_id: i64) -> Value {
    let padding = graph.integers("position.padding", &[], &[padding_id]);
    let axis = graph.integers("position.axis", &[], &[1]);
    let is_padding = graph.add("position.is_padding", Operation::standard("Equal", &[IDS, &padding]));
    let is_token = graph.add("position.is_token", Operation::standard("Not", &[&is_padding]));
    let token = graph.add(
        "position.token",
        Operation::standard("Cast", &[&is_token]).integer("to", ElementType::Int64 as i64),
    );
    let count = graph.add("position.count", Operation::standard("CumSum", &[&token, &axis]));
    let counted = graph.add("position.counted", Operation::standard("Mul", &[&count, &token]));
    let index = graph.add("position.index", Operation::standard("Add", &[&counted, &padding]));
    graph.add("position.rows", Operation::standard("Gather", &[table, &index]))
}
