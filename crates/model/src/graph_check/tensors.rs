//! The constants of a graph: types, shapes, and places in the file of weights.

use std::collections::HashMap;

use super::GraphError;
use crate::external_data::{EXTERNAL_DATA_FILE, INLINE_BYTES, next_offset};
use crate::onnx::{DataLocation, ElementType, Tensor};

/// A tensor that the graph holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant<'a> {
    pub element: ElementType,
    pub shape: Vec<usize>,
    /// Its bytes, if they are in the graph itself.
    pub inline: Option<&'a [u8]>,
}

/// Checks every tensor, and gives them by name. Tensors of the file of weights lie in it one after the other, as the
/// exporter writes them; `weights_length` is the file's length.
pub fn check(
    tensors: &[Tensor],
    weights_length: u64,
) -> Result<HashMap<&str, Constant<'_>>, GraphError> {
    let mut end = 0;
    let mut constants = HashMap::with_capacity(tensors.len());
    for tensor in tensors {
        let refuse = |why| GraphError::Tensor {
            name: tensor.name.clone(),
            why,
        };
        let constant = check_one(tensor, &mut end).map_err(refuse)?;
        if constants.insert(tensor.name.as_str(), constant).is_some() {
            return Err(refuse("exists twice".to_owned()));
        }
    }
    if end == weights_length {
        Ok(constants)
    } else {
        Err(GraphError::WeightsLength {
            expected: end,
            found: weights_length,
        })
    }
}

/// Checks a tensor that follows others in the file of weights, which end at `end`.
fn check_one<'a>(tensor: &'a Tensor, end: &mut u64) -> Result<Constant<'a>, String> {
    let element = ElementType::try_from(tensor.data_type)
        .ok()
        .filter(|element| element.bytes() > 0)
        .ok_or_else(|| format!("has the element type {}", tensor.data_type))?;
    let shape = tensor
        .dims
        .iter()
        .map(|&size| usize::try_from(size).ok().filter(|size| *size > 0))
        .collect::<Option<Vec<usize>>>()
        .ok_or_else(|| format!("has the shape {:?}", tensor.dims))?;
    let bytes = shape
        .iter()
        .try_fold(element.bytes() as u64, |bytes, &size| {
            bytes.checked_mul(size as u64)
        })
        .ok_or_else(|| format!("has the shape {shape:?}, which is too large"))?;
    let inline = if bytes < INLINE_BYTES {
        Some(inline_data(tensor, bytes)?)
    } else {
        *end = external_data(tensor, bytes, *end)?;
        None
    };
    Ok(Constant {
        element,
        shape,
        inline,
    })
}

fn inline_data(tensor: &Tensor, bytes: u64) -> Result<&[u8], String> {
    let is_inline =
        tensor.data_location == i32::from(DataLocation::Default) && tensor.external_data.is_empty();
    let data = tensor
        .raw_data
        .as_deref()
        .filter(|_| is_inline)
        .ok_or_else(|| format!("has {bytes} bytes and is not in the graph itself"))?;
    if data.len() as u64 == bytes {
        Ok(data)
    } else {
        Err(format!(
            "has {} bytes, and its shape {:?} takes {bytes}",
            data.len(),
            tensor.dims
        ))
    }
}

/// Checks where a tensor lies in the file of weights, behind those that end at `end`, and gives its own end.
fn external_data(tensor: &Tensor, bytes: u64, end: u64) -> Result<u64, String> {
    let is_external = tensor.data_location == i32::from(DataLocation::External);
    if !is_external || tensor.raw_data.is_some() {
        return Err(format!(
            "has {bytes} bytes and is not in {EXTERNAL_DATA_FILE}"
        ));
    }
    let offset = next_offset(end);
    let expected = [
        ("location", EXTERNAL_DATA_FILE.to_owned()),
        ("offset", offset.to_string()),
        ("length", bytes.to_string()),
    ];
    let entries = &tensor.external_data;
    if entries.len() != expected.len() {
        return Err(format!(
            "has {} entries of external data, not {}",
            entries.len(),
            expected.len()
        ));
    }
    for (entry, (key, value)) in entries.iter().zip(expected) {
        if entry.key != key || entry.value != value {
            return Err(format!(
                "has the external data {} {:?}, not {key} {value:?}",
                entry.key, entry.value
            ));
        }
    }
    offset
        .checked_add(bytes)
        .ok_or_else(|| "ends beyond every file".to_owned())
}
