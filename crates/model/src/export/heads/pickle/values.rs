//! The values that the instructions of a pickle make, and what a tensor is made of.
//!
//! Invariant: no value nests deeper than [`DEEPEST`], so that dropping it needs little stack.

use std::rc::Rc;

use super::{Error, Storage, TensorPlace};
use crate::export::element_type::ElementType;

/// Names that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Global {
    OrderedDict,
    RebuildTensor,
    Size,
    Device,
    Storage(ElementType),
}

pub const GLOBALS: [(&str, Global); 8] = [
    ("collections OrderedDict", Global::OrderedDict),
    ("torch._utils _rebuild_tensor_v2", Global::RebuildTensor),
    ("torch Size", Global::Size),
    ("torch device", Global::Device),
    ("torch HalfStorage", Global::Storage(ElementType::F16)),
    ("torch BFloat16Storage", Global::Storage(ElementType::BF16)),
    ("torch FloatStorage", Global::Storage(ElementType::F32)),
    ("torch DoubleStorage", Global::Storage(ElementType::F64)),
];

/// No state dict nests deeper; values are dropped by recursion.
const DEEPEST: usize = 16;
/// Bytes of the longest text. A few bytes of a pickle can use a text or a shape again that was remembered, and each use is
/// a copy, so neither may be large.
pub const LONGEST_TEXT: usize = 256;
/// Axes of a tensor; those of a head have one or two.
const MOST_AXES: usize = 8;

#[derive(Debug, Clone)]
pub enum Value {
    Nothing,
    Boolean,
    Integer(i64),
    Text(Rc<str>),
    Tuple(Rc<Nested>),
    /// A dictionary, of which only entries with text keys are kept.
    Dictionary(Rc<Nested>),
    Global(Global),
    Storage(Rc<Storage>),
    Tensor(Rc<TensorPlace>),
    /// Where the instructions that take many values stop.
    Mark,
}

#[derive(Debug, Default)]
pub struct Nested {
    pub members: Vec<Value>,
    pub depth: usize,
}

/// The arguments of `torch._utils._rebuild_tensor_v2`: storage, offset, shape, strides, and two that do not matter here.
pub fn tensor(arguments: &[Value]) -> Result<TensorPlace, Error> {
    let [
        Value::Storage(storage),
        offset,
        Value::Tuple(shape),
        Value::Tuple(strides),
        ..,
    ] = arguments
    else {
        return Err(Error::Structure("a tensor is not described as one"));
    };
    if shape.members.len() > MOST_AXES {
        return Err(Error::Structure("a tensor has too many axes"));
    }
    if shape.members.len() != strides.members.len() {
        return Err(Error::Structure("a tensor has another number of strides"));
    }
    let sizes = |tuple: &Nested| {
        tuple
            .members
            .iter()
            .map(size)
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(TensorPlace {
        storage: (**storage).clone(),
        offset: size(offset)?,
        shape: sizes(shape)?,
        strides: sizes(strides)?,
    })
}

pub fn size(value: &Value) -> Result<usize, Error> {
    let Value::Integer(value) = value else {
        return Err(Error::Structure("a size is no number"));
    };
    usize::try_from(*value).map_err(|_| Error::Structure("a size is negative"))
}

/// How deep a value with these members is.
pub fn depth(members: &[Value]) -> Result<usize, Error> {
    let depths = members.iter().map(|value| match value {
        Value::Tuple(nested) | Value::Dictionary(nested) => nested.depth + 1,
        Value::Nothing
        | Value::Boolean
        | Value::Integer(_)
        | Value::Text(_)
        | Value::Global(_)
        | Value::Storage(_)
        | Value::Tensor(_)
        | Value::Mark => 0,
    });
    match depths.max().unwrap_or(0) {
        depth if depth <= DEEPEST => Ok(depth),
        _ => Err(Error::Structure("it nests too deeply")),
    }
}
