//! Mean pooling of a padded batch.

use super::super::graph::{GraphBuilder, Operation, Value};
use super::super::onnx::ElementType;
use crate::model::input::MASK;

/// Mean over the tokens of each text that are not padding: `[batch, hidden]`, from `[batch, sequence, hidden]`.
pub fn mean(graph: &mut GraphBuilder, texts: &str) -> Value {
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
    let own = graph.add("pooling.own", Operation::standard("Mul", &[texts, &mask]));
    let sum = Operation::standard("ReduceSum", &[&own, &sequence]).integer("keepdims", 0);
    let sum = graph.add("pooling.sum", sum);
    let count = Operation::standard("ReduceSum", &[&mask, &sequence]).integer("keepdims", 0);
    let count = graph.add("pooling.count", count);
    graph.add("pooling.mean", Operation::standard("Div", &[&sum, &count]))
}
