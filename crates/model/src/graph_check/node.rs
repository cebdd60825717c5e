//! One node: its inputs and attributes, each of which is an error if it is not what its operator takes.

use std::collections::HashMap;

use super::value::{Count, Rows, Value};
use crate::onnx::{Attribute, AttributeType, ElementType, Node};

/// One node and what stands before it.
pub struct NodeCheck<'n, 'a> {
    pub node: &'a Node,
    pub index: usize,
    pub values: &'n HashMap<&'a str, Value<'a>>,
    pub max_tokens: usize,
}

/// What a node is given.
impl<'a> NodeCheck<'_, 'a> {
    /// It has so many inputs, and attributes of these names in this order.
    pub fn has<const N: usize>(&self, inputs: usize, attributes: [&str; N]) -> Result<(), String> {
        self.equal("the number of inputs", self.node.input.len(), inputs)?;
        let names = self.node.attribute.iter().map(|attribute| &attribute.name);
        if names.eq(attributes) {
            Ok(())
        } else {
            Err(format!("its attributes are not {attributes:?}"))
        }
    }

    pub fn equal(&self, what: &str, found: usize, expected: usize) -> Result<(), String> {
        if found == expected {
            Ok(())
        } else {
            Err(format!("{what} is {found}, not {expected}"))
        }
    }

    pub fn value(&self, index: usize) -> Result<&Value<'a>, String> {
        let name = &self.node.input[index];
        let value = self.values.get(name.as_str());
        value.ok_or_else(|| format!("no earlier node gives its input {name}"))
    }

    pub fn is(&self, index: usize, expected: &Value<'_>) -> Result<(), String> {
        if self.value(index)? == expected {
            Ok(())
        } else {
            Err(format!(
                "its input {} is not what it must be: {}",
                self.node.input[index],
                expected.describe()
            ))
        }
    }

    pub fn floats(&self, index: usize) -> Result<Rows, String> {
        let Value::Floats(rows) = self.value(index)? else {
            return Err(format!(
                "its input {} is not rows of floats",
                self.node.input[index]
            ));
        };
        Ok(*rows)
    }

    pub fn panels(&self, index: usize) -> Result<Rows, String> {
        let Value::Panels(rows) = self.value(index)? else {
            return Err(format!(
                "its input {} is not the output of a matrix multiplication",
                self.node.input[index]
            ));
        };
        Ok(*rows)
    }

    pub fn tokens(&self, rows: Rows) -> Result<(), String> {
        match rows.count {
            Count::Tokens => Ok(()),
            Count::Sequences => Err(format!("its rows {rows} are not those of all tokens")),
        }
    }

    /// The shape of a constant with this element type and number of dimensions.
    pub fn constant<const N: usize>(
        &self,
        index: usize,
        element: ElementType,
    ) -> Result<[usize; N], String> {
        let name = &self.node.input[index];
        let Value::Constant(constant) = self.value(index)? else {
            return Err(format!("its input {name} is not a constant"));
        };
        if constant.element != element {
            return Err(format!(
                "{name} is of {:?}, not {element:?}",
                constant.element
            ));
        }
        <[usize; N]>::try_from(constant.shape.as_slice()).map_err(|_| {
            format!(
                "{name} has the shape {:?}, not one of {N} dimensions",
                constant.shape
            )
        })
    }

    /// A constant of one dimension and this length.
    pub fn vector(&self, index: usize, element: ElementType, length: usize) -> Result<(), String> {
        let [found] = self.constant(index, element)?;
        self.equal(
            &format!("the length of {}", self.node.input[index]),
            found,
            length,
        )
    }

    /// A constant of 64-bit integers with one element, which has this value.
    pub fn integers<const N: usize>(
        &self,
        index: usize,
        shape: &[usize; N],
        expected: i64,
    ) -> Result<(), String> {
        let found: [usize; N] = self.constant(index, ElementType::Int64)?;
        if found == *shape && self.inline(index).map(i64::from_le_bytes) == Some(expected) {
            Ok(())
        } else {
            Err(format!("{} is not {expected}", self.node.input[index]))
        }
    }

    /// The bytes of a constant that is in the graph itself and has `N` of them.
    pub fn inline<const N: usize>(&self, index: usize) -> Option<[u8; N]> {
        let Value::Constant(constant) = self.value(index).ok()? else {
            return None;
        };
        constant.inline?.try_into().ok()
    }

    pub fn attribute(
        &self,
        index: usize,
        expected: AttributeType,
    ) -> Result<&'a Attribute, String> {
        let attribute = &self.node.attribute[index];
        if attribute.r#type == i32::from(expected) && attribute.g.is_none() {
            Ok(attribute)
        } else {
            Err(format!(
                "{} is not of the type {expected:?}",
                attribute.name
            ))
        }
    }

    pub fn integer(&self, index: usize) -> Result<i64, String> {
        let attribute = self.attribute(index, AttributeType::Int)?;
        let value = attribute.i.filter(|_| attribute.f.is_none());
        value.ok_or_else(|| format!("{} has no value", attribute.name))
    }

    pub fn equal_integer(&self, index: usize, expected: i64) -> Result<(), String> {
        let found = self.integer(index)?;
        if found == expected {
            Ok(())
        } else {
            let name = &self.node.attribute[index].name;
            Err(format!("{name} is {found}, not {expected}"))
        }
    }

    pub fn width(&self, index: usize, rows: Rows) -> Result<(), String> {
        let width = self.integer(index)?;
        if usize::try_from(width) == Ok(rows.width) {
            Ok(())
        } else {
            Err(format!("width is {width}, and its input is {rows}"))
        }
    }

    pub fn epsilon(&self, index: usize) -> Result<(), String> {
        let attribute = self.attribute(index, AttributeType::Float)?;
        let epsilon = attribute.f.filter(|_| attribute.i.is_none());
        let epsilon = epsilon.ok_or_else(|| format!("{} has no value", attribute.name))?;
        if (0.0..1.0).contains(&epsilon) {
            Ok(())
        } else {
            Err(format!("epsilon is {epsilon}, not between 0 and 1"))
        }
    }
}
