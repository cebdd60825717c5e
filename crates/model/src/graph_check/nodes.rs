//! The nodes of a graph: each gets what its operator takes.
//!
//! Values are followed from the graph's inputs to its output. A value's kind says how many rows it has (one for each token
//! or one for each sequence) and how wide they are, so every width, length and attribute is compared with all others that
//! it must agree with.

use std::collections::HashMap;

use super::GraphError;
use super::node::NodeCheck;
use super::tensors::Constant;
use super::value::{Count, Rows, Value};
use crate::Description;
use crate::encoder::{VECTORS_OUTPUT, input};
use crate::onnx::{DimensionValue, ElementType, Graph, ValueInfo};
use crate::operators::{DOMAIN, name};
use kernels::gemm::{PANEL, int8, panel_count};

/// Checks every node in its order, and that the graph gives the vectors that its description promises.
pub fn check<'a>(
    graph: &'a Graph,
    constants: HashMap<&'a str, Constant<'a>>,
    description: &Description,
) -> Result<(), GraphError> {
    check_interface(graph, description)?;
    let mut values: HashMap<&str, Value<'_>> = constants
        .into_iter()
        .map(|(name, constant)| (name, Value::Constant(constant)))
        .collect();
    values.insert(input::IDS, Value::Ids);
    values.insert(input::LENGTHS, Value::Lengths);
    for (index, node) in graph.node.iter().enumerate() {
        let refuse = |why: String| GraphError::Node {
            name: node.name.clone(),
            operator: node.op_type.clone(),
            why,
        };
        let context = NodeCheck {
            node,
            index,
            values: &values,
            max_tokens: description.max_tokens.get(),
        };
        let outputs = context.outputs().map_err(refuse)?;
        if outputs.len() != node.output.len() {
            return Err(refuse(format!(
                "it has {} outputs, not {}",
                node.output.len(),
                outputs.len()
            )));
        }
        for (name, value) in node.output.iter().zip(outputs) {
            if values.insert(name, value).is_some() {
                return Err(refuse(format!("its output {name} exists twice")));
            }
        }
    }
    let vectors = Value::Vectors(Rows {
        count: Count::Sequences,
        width: description.dimensions.get(),
    });
    if values.get(VECTORS_OUTPUT) == Some(&vectors) {
        Ok(())
    } else {
        Err(GraphError::Structure(format!(
            "its output {VECTORS_OUTPUT} is not one unit vector of {} floats for each sequence",
            description.dimensions
        )))
    }
}

fn check_interface(graph: &Graph, description: &Description) -> Result<(), GraphError> {
    let dimensions = description.dimensions.get() as i64;
    let inputs = [input::IDS, input::LENGTHS].map(|name| (name, ElementType::Int64, vec![None]));
    let outputs = [(
        VECTORS_OUTPUT,
        ElementType::Float,
        vec![None, Some(dimensions)],
    )];
    let fits = graph.input.iter().map(interface).eq(inputs.map(Some))
        && graph.output.iter().map(interface).eq(outputs.map(Some));
    if fits {
        Ok(())
    } else {
        Err(GraphError::Structure(format!(
            "its inputs and outputs are not {}, {} and {VECTORS_OUTPUT} with {dimensions} floats",
            input::IDS,
            input::LENGTHS
        )))
    }
}

/// Name, element type and fixed sizes of an input or output.
fn interface(info: &ValueInfo) -> Option<(&str, ElementType, Vec<Option<i64>>)> {
    let tensor = info.r#type.as_ref()?.tensor_type.as_ref()?;
    let sizes = tensor.shape.as_ref()?.dim.iter();
    let sizes = sizes.map(|dimension| match dimension.value {
        Some(DimensionValue::Fixed(size)) => Some(size),
        Some(DimensionValue::Named(_)) | None => None,
    });
    let element = ElementType::try_from(tensor.elem_type).ok()?;
    Some((&info.name, element, sizes.collect()))
}

impl<'a> NodeCheck<'_, 'a> {
    /// What the node gives.
    fn outputs(&self) -> Result<Vec<Value<'a>>, String> {
        match (self.node.domain.as_str(), self.node.op_type.as_str()) {
            (DOMAIN, name::EMBED_TOKENS) => Ok(vec![Value::Floats(self.embed_tokens(false)?)]),
            (DOMAIN, name::EMBED_TOKENS_QUANTIZED) => {
                Ok(self.floats_and_quantized(self.embed_tokens(true)?))
            }
            (DOMAIN, name::LINEAR) => self.linear(),
            (DOMAIN, name::QUANTIZED_LINEAR) => self.quantized_linear(),
            (DOMAIN, name::ATTENTION) => Ok(vec![Value::Floats(self.attention()?)]),
            (DOMAIN, name::ATTENTION_QUANTIZED) => Ok(self.quantized(self.attention()?)),
            (DOMAIN, name::ADD_LAYER_NORMALIZATION) => {
                Ok(vec![Value::Floats(self.add_layer_normalization()?)])
            }
            (DOMAIN, name::ADD_LAYER_NORMALIZATION_QUANTIZED) => {
                Ok(self.floats_and_quantized(self.add_layer_normalization()?))
            }
            (DOMAIN, name::GELU) => Ok(vec![Value::Floats(self.gelu()?)]),
            (DOMAIN, name::GELU_QUANTIZED) => Ok(self.quantized(self.gelu()?)),
            (DOMAIN, name::MEAN_POOLING) => self.mean_pooling(),
            ("", "CumSum") => self.starts(),
            ("", "Gather") => self.first_rows(),
            ("", "ReduceL2") => self.norms(),
            ("", "Max") => self.divisors(),
            ("", "Div") => self.vectors(),
            (domain, _) => Err(format!(
                "the exporter writes no such operator of {domain:?}"
            )),
        }
    }

    fn quantized(&self, rows: Rows) -> Vec<Value<'a>> {
        vec![
            Value::Bytes(rows, self.index),
            Value::Quantization(rows, self.index),
        ]
    }

    fn floats_and_quantized(&self, rows: Rows) -> Vec<Value<'a>> {
        [vec![Value::Floats(rows)], self.quantized(rows)].concat()
    }

    fn embed_tokens(&self, quantized: bool) -> Result<Rows, String> {
        self.has(if quantized { 7 } else { 6 }, ["epsilon", "padding_id"])?;
        self.is(0, &Value::Ids)?;
        self.is(1, &Value::Lengths)?;
        let element = if quantized {
            ElementType::Int8
        } else {
            ElementType::Float
        };
        let [words, width] = self.constant(2, element)?;
        let [positions, position_width] = self.constant(3, ElementType::Float)?;
        self.equal("the width of the position table", position_width, width)?;
        self.vector(4, ElementType::Float, width)?;
        self.vector(5, ElementType::Float, width)?;
        if quantized {
            self.vector(6, ElementType::Float, words)?;
        }
        self.epsilon(0)?;
        let padding_id = self.integer(1)?;
        // Positions count from the id after the padding id, so the table has a row for each token and those before.
        let first = padding_id.checked_add(1).map(usize::try_from);
        let needed = match first {
            Some(Ok(first)) => first.checked_add(self.max_tokens),
            Some(Err(_)) | None => None,
        };
        if needed.is_none_or(|needed| needed > positions) {
            return Err(format!(
                "with padding_id {padding_id} the {positions} rows of the position table are too few for {} tokens",
                self.max_tokens
            ));
        }
        Ok(Rows {
            count: Count::Tokens,
            width,
        })
    }

    fn linear(&self) -> Result<Vec<Value<'a>>, String> {
        self.has(3, [])?;
        let rows = self.floats(0)?;
        let [panels, inputs, panel] = self.constant(1, ElementType::Float)?;
        self.equal("the width of a panel", panel, PANEL)?;
        self.equal("the number of inputs", inputs, rows.width)?;
        let [width] = self.constant(2, ElementType::Float)?;
        self.equal("the number of panels", panels, panel_count(width))?;
        Ok(vec![Value::Panels(Rows { width, ..rows })])
    }

    fn quantized_linear(&self) -> Result<Vec<Value<'a>>, String> {
        self.has(6, [])?;
        let rows = match (self.value(0)?, self.value(1)?) {
            (Value::Bytes(rows, from), Value::Quantization(same, also_from))
                if rows == same && from == also_from =>
            {
                *rows
            }
            _ => {
                return Err(format!(
                    "{} and {} are not the two tensors of the same quantized rows",
                    self.node.input[0], self.node.input[1]
                ));
            }
        };
        let [panels, groups, panel, group] = self.constant(2, ElementType::Int8)?;
        self.equal("the width of a panel", panel, PANEL)?;
        self.equal("the size of a group", group, int8::GROUP)?;
        self.equal(
            "the number of inputs",
            groups.saturating_mul(group),
            rows.width,
        )?;
        if !int8::fits(rows.width) {
            return Err(format!("rows of {} bytes cannot be multiplied", rows.width));
        }
        let [width] = self.constant(3, ElementType::Float)?;
        self.vector(4, ElementType::Int32, width)?;
        self.vector(5, ElementType::Float, width)?;
        self.equal("the number of panels", panels, panel_count(width))?;
        Ok(vec![Value::Panels(Rows { width, ..rows })])
    }

    fn attention(&self) -> Result<Rows, String> {
        self.has(2, ["width", "heads", "first_only"])?;
        let rows = self.panels(0)?;
        self.is(1, &Value::Lengths)?;
        self.width(0, rows)?;
        let heads = self.integer(1)?;
        let hidden = rows.width / 3;
        let fits =
            usize::try_from(heads).is_ok_and(|heads| heads > 0 && hidden.is_multiple_of(heads));
        if rows.count != Count::Tokens || !rows.width.is_multiple_of(3) || hidden == 0 || !fits {
            return Err(format!(
                "{heads} heads do not divide queries, keys and values of {rows}"
            ));
        }
        let count = match self.integer(2)? {
            0 => Count::Tokens,
            1 => Count::Sequences,
            other => return Err(format!("first_only is {other}, neither 0 nor 1")),
        };
        Ok(Rows {
            count,
            width: hidden,
        })
    }

    fn add_layer_normalization(&self) -> Result<Rows, String> {
        self.has(4, ["epsilon"])?;
        let rows = self.panels(0)?;
        self.is(1, &Value::Floats(rows))?;
        self.vector(2, ElementType::Float, rows.width)?;
        self.vector(3, ElementType::Float, rows.width)?;
        self.epsilon(0)?;
        Ok(rows)
    }

    fn gelu(&self) -> Result<Rows, String> {
        self.has(1, ["width"])?;
        let rows = self.panels(0)?;
        self.width(0, rows)?;
        Ok(rows)
    }

    fn mean_pooling(&self) -> Result<Vec<Value<'a>>, String> {
        self.has(2, [])?;
        let rows = self.floats(0)?;
        self.is(1, &Value::Lengths)?;
        self.tokens(rows)?;
        Ok(vec![Value::Floats(Rows {
            count: Count::Sequences,
            ..rows
        })])
    }

    fn starts(&self) -> Result<Vec<Value<'a>>, String> {
        self.has(2, ["exclusive"])?;
        self.is(0, &Value::Lengths)?;
        self.integers(1, &[], 0)?;
        self.equal_integer(0, 1)?;
        Ok(vec![Value::Starts])
    }

    fn first_rows(&self) -> Result<Vec<Value<'a>>, String> {
        self.has(2, [])?;
        let rows = self.floats(0)?;
        self.is(1, &Value::Starts)?;
        self.tokens(rows)?;
        Ok(vec![Value::Floats(Rows {
            count: Count::Sequences,
            ..rows
        })])
    }

    fn norms(&self) -> Result<Vec<Value<'a>>, String> {
        self.has(2, ["keepdims"])?;
        let rows = self.floats(0)?;
        self.integers(1, &[1], -1)?;
        self.equal_integer(0, 1)?;
        Ok(vec![Value::Norms(rows)])
    }

    fn divisors(&self) -> Result<Vec<Value<'a>>, String> {
        self.has(2, [])?;
        let Value::Norms(rows) = self.value(0)? else {
            return Err(format!("{} is not the norm of rows", self.node.input[0]));
        };
        let [] = self.constant(1, ElementType::Float)?;
        let smallest = self.inline(1).map(f32::from_le_bytes);
        if !smallest.is_some_and(|smallest| smallest.is_finite() && smallest > 0.0) {
            return Err("the smallest norm is not above 0".to_owned());
        }
        Ok(vec![Value::Divisors(*rows)])
    }

    fn vectors(&self) -> Result<Vec<Value<'a>>, String> {
        self.has(2, [])?;
        let rows = self.floats(0)?;
        self.is(1, &Value::Divisors(rows))?;
        Ok(vec![Value::Vectors(rows)])
    }
}
