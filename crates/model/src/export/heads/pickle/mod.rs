//! The part of Python's pickle format that PyTorch writes for a state dict of tensors.
//!
//! Nothing is ever run: a class or function is only a name, and every name that a state dict does not need is refused, as is
//! every instruction that a state dict does not need. Memory and depth are bounded by the size of the pickle. Source:
//! Python's `pickletools`, protocol 2, and `torch.save` of PyTorch 2.

mod machine;
mod values;

use self::machine::Machine;
use self::values::Value;
use crate::export::element_type::ElementType;

/// A tensor in a state dict: where its elements lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorPlace {
    /// The storage that holds its elements.
    pub storage: Storage,
    /// First element, counted in elements of the storage.
    pub offset: usize,
    /// Its shape.
    pub shape: Vec<usize>,
    /// For each axis, the distance of neighbours, in elements.
    pub strides: Vec<usize>,
}

/// A storage that a pickle names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Name of its file.
    pub key: String,
    /// Type of its elements.
    pub element: ElementType,
    /// Number of its elements.
    pub elements: usize,
}

/// Why a pickle is not a state dict of tensors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A class or function that a state dict of tensors does not need.
    #[error("it names {0}, which is never run")]
    Global(String),
    /// An instruction that a state dict of tensors does not need.
    #[error("it has the instruction {0:#04x}, which a state dict of tensors does not need")]
    Instruction(u8),
    /// The pickle ends before its last instruction.
    #[error("its pickle is truncated")]
    Truncated,
    /// The instructions do not fit together.
    #[error("its pickle is not a state dict of tensors: {0}")]
    Structure(&'static str),
}

/// The tensors of the state dict that `pickle` holds, with their names, in its order.
pub fn state_dict(pickle: &[u8]) -> Result<Vec<(String, TensorPlace)>, Error> {
    let Value::Dictionary(entries) = Machine::new(pickle).run()? else {
        return Err(Error::Structure("it is no dictionary"));
    };
    let entries = entries.members.as_chunks().0.iter();
    let tensors = entries.map(|[name, tensor]| match (name, tensor) {
        (Value::Text(name), Value::Tensor(place)) => Ok((name.to_string(), (**place).clone())),
        _ => Err(Error::Structure("an entry is not a tensor with a name")),
    });
    tensors.collect()
}
