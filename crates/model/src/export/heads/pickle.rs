//! The part of Python's pickle format that PyTorch writes for a state dict of tensors.
//!
//! Nothing is ever run: a class or function is only a name, and every name that is not in [`Global`] is refused, as is
//! every instruction that a state dict does not need. Memory and depth are bounded by the size of the pickle. Source:
//! Python's `pickletools`, protocol 2, and `torch.save` of PyTorch 2.

use std::collections::HashMap;
use std::rc::Rc;

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

/// Names that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Global {
    OrderedDict,
    RebuildTensor,
    Size,
    Device,
    Storage(ElementType),
}

const GLOBALS: [(&str, Global); 8] = [
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
const LONGEST_TEXT: usize = 256;
/// Axes of a tensor; those of a head have one or two.
const MOST_AXES: usize = 8;

#[derive(Debug, Clone)]
enum Value {
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
struct Nested {
    members: Vec<Value>,
    depth: usize,
}

/// The tensors of the state dict that `pickle` holds, with their names, in its order.
pub fn state_dict(pickle: &[u8]) -> Result<Vec<(String, TensorPlace)>, Error> {
    let mut machine = Machine {
        rest: pickle,
        stack: Vec::new(),
        memo: HashMap::new(),
    };
    let Value::Dictionary(entries) = machine.run()? else {
        return Err(Error::Structure("it is no dictionary"));
    };
    let entries = entries.members.as_chunks().0.iter();
    let tensors = entries.map(|[name, tensor]| match (name, tensor) {
        (Value::Text(name), Value::Tensor(place)) => Ok((name.to_string(), (**place).clone())),
        _ => Err(Error::Structure("an entry is not a tensor with a name")),
    });
    tensors.collect()
}

struct Machine<'a> {
    rest: &'a [u8],
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
}

impl Machine<'_> {
    fn run(&mut self) -> Result<Value, Error> {
        loop {
            let instruction = self.byte()?;
            match instruction {
                // PROTO
                0x80 => drop(self.byte()?),
                // STOP
                b'.' => return self.pop(),
                b'c' => self.global()?,
                // BINPUT, LONG_BINPUT
                b'q' => {
                    let index = self.byte()?;
                    self.remember(index.into())?;
                }
                b'r' => {
                    let index = self.unsigned()?;
                    self.remember(index)?;
                }
                // BINGET, LONG_BINGET
                b'h' => {
                    let index = self.byte()?;
                    self.recall(index.into())?;
                }
                b'j' => {
                    let index = self.unsigned()?;
                    self.recall(index)?;
                }
                // MARK
                b'(' => self.stack.push(Value::Mark),
                // EMPTY_TUPLE, TUPLE1 to TUPLE3, TUPLE
                b')' => self.tuple(Vec::new())?,
                0x85..=0x87 => {
                    let length = usize::from(instruction - 0x84);
                    let members = self.pop_many(length)?;
                    self.tuple(members)?;
                }
                b't' => {
                    let members = self.pop_to_mark()?;
                    self.tuple(members)?;
                }
                // EMPTY_DICT, SETITEM, SETITEMS
                b'}' => self.stack.push(Value::Dictionary(Rc::default())),
                b's' => {
                    let entry = self.pop_many(2)?;
                    self.set_entries(entry)?;
                }
                b'u' => {
                    let entries = self.pop_to_mark()?;
                    self.set_entries(entries)?;
                }
                // BINUNICODE
                b'X' => self.text()?,
                // BININT, BININT1, BININT2, LONG1
                b'J' => {
                    let value = i32::from_le_bytes(self.array()?);
                    self.stack.push(Value::Integer(value.into()));
                }
                b'K' => {
                    let value = self.byte()?;
                    self.stack.push(Value::Integer(value.into()));
                }
                b'M' => {
                    let value = u16::from_le_bytes(self.array()?);
                    self.stack.push(Value::Integer(value.into()));
                }
                0x8a => self.long()?,
                // NEWTRUE, NEWFALSE, NONE
                0x88 | 0x89 => self.stack.push(Value::Boolean),
                b'N' => self.stack.push(Value::Nothing),
                // BINPERSID
                b'Q' => self.storage()?,
                b'R' => self.reduce()?,
                b'b' => self.build()?,
                other => return Err(Error::Instruction(other)),
            }
        }
    }

    fn global(&mut self) -> Result<(), Error> {
        let module = self.line()?;
        let name = self.line()?;
        let full = format!("{module} {name}");
        let known = GLOBALS.iter().find(|(known, _)| *known == full);
        let (_, global) = known.ok_or_else(|| Error::Global(format!("{module}.{name}")))?;
        self.stack.push(Value::Global(*global));
        Ok(())
    }

    /// Calls the few functions that a state dict needs, none of which is Python's.
    fn reduce(&mut self) -> Result<(), Error> {
        let [function, arguments] = self.pop_array()?;
        let (Value::Global(function), Value::Tuple(arguments)) = (function, arguments) else {
            return Err(Error::Structure("it calls what is no function"));
        };
        let arguments = &arguments.members;
        let result = match (function, arguments.as_slice()) {
            (Global::OrderedDict, []) => Value::Dictionary(Rc::default()),
            (Global::RebuildTensor, arguments) => Value::Tensor(Rc::new(tensor(arguments)?)),
            (Global::Size, [Value::Tuple(sizes)]) => Value::Tuple(Rc::clone(sizes)),
            (Global::Device, _) => Value::Nothing,
            (Global::OrderedDict | Global::Size | Global::Storage(_), _) => {
                return Err(Error::Structure("a call has other arguments"));
            }
        };
        self.stack.push(result);
        Ok(())
    }

    /// A module's state dict carries the versions of its modules as an attribute, which is not needed.
    fn build(&mut self) -> Result<(), Error> {
        let state = self.pop()?;
        match (&state, self.stack.last()) {
            (Value::Dictionary(_), Some(Value::Dictionary(_))) => Ok(()),
            _ => Err(Error::Structure("an attribute belongs to no dictionary")),
        }
    }

    /// A persistent id: `("storage", class, key, device, number of elements)`.
    fn storage(&mut self) -> Result<(), Error> {
        let [id] = self.pop_array()?;
        let Value::Tuple(id) = id else {
            return Err(Error::Structure("a storage is no tuple"));
        };
        match id.members.as_slice() {
            [
                Value::Text(tag),
                Value::Global(Global::Storage(element)),
                Value::Text(key),
                Value::Text(_),
                elements,
            ] if &**tag == "storage" => {
                self.stack.push(Value::Storage(Rc::new(Storage {
                    key: key.to_string(),
                    element: *element,
                    elements: size(elements)?,
                })));
                Ok(())
            }
            _ => Err(Error::Structure("a storage is not described as one")),
        }
    }

    fn set_entries(&mut self, entries: Vec<Value>) -> Result<(), Error> {
        let Some(Value::Dictionary(dictionary)) = self.stack.pop() else {
            return Err(Error::Structure("an entry belongs to no dictionary"));
        };
        if !entries.len().is_multiple_of(2) {
            return Err(Error::Structure("a key has no value"));
        }
        let mut dictionary = Rc::try_unwrap(dictionary)
            .map_err(|_| Error::Structure("a dictionary is used twice"))?;
        dictionary.depth = dictionary.depth.max(depth(&entries)?);
        dictionary.members.extend(entries);
        self.stack.push(Value::Dictionary(Rc::new(dictionary)));
        Ok(())
    }

    fn tuple(&mut self, members: Vec<Value>) -> Result<(), Error> {
        let depth = depth(&members)?;
        let tuple = Nested { members, depth };
        self.stack.push(Value::Tuple(Rc::new(tuple)));
        Ok(())
    }

    /// A dictionary is not remembered, because its entries may still change.
    fn remember(&mut self, index: u32) -> Result<(), Error> {
        match self.stack.last() {
            None | Some(Value::Mark) => Err(Error::Structure("nothing can be remembered")),
            Some(Value::Dictionary(_)) => {
                self.memo.remove(&index);
                Ok(())
            }
            Some(value) => {
                self.memo.insert(index, value.clone());
                Ok(())
            }
        }
    }

    fn recall(&mut self, index: u32) -> Result<(), Error> {
        let value = self.memo.get(&index).cloned();
        let value = value.ok_or(Error::Structure("what it recalls was never remembered"))?;
        self.stack.push(value);
        Ok(())
    }

    fn text(&mut self) -> Result<(), Error> {
        let length = self.unsigned()? as usize;
        let bytes = self.take(length)?;
        if length > LONGEST_TEXT {
            return Err(Error::Structure("a name is too long"));
        }
        let text = str::from_utf8(bytes).map_err(|_| Error::Structure("a text is not UTF-8"))?;
        let text = text.into();
        self.stack.push(Value::Text(text));
        Ok(())
    }

    fn long(&mut self) -> Result<(), Error> {
        let length = self.byte()?.into();
        let bytes = self.take(length)?;
        let mut value = [0; size_of::<i64>()];
        let low = value.get_mut(..bytes.len());
        let low = low.ok_or(Error::Structure("a number is too large"))?;
        low.copy_from_slice(bytes);
        if bytes.last().is_some_and(|&last| last >= 0x80) {
            return Err(Error::Structure("a size is negative"));
        }
        self.stack.push(Value::Integer(i64::from_le_bytes(value)));
        Ok(())
    }

    fn pop(&mut self) -> Result<Value, Error> {
        let [value] = self.pop_array()?;
        Ok(value)
    }

    fn pop_array<const N: usize>(&mut self) -> Result<[Value; N], Error> {
        let values = self.pop_many(N)?.try_into();
        values.map_err(|_| Error::Structure("it needs values that are not there"))
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Value>, Error> {
        let start = self.stack.len().checked_sub(count);
        let start = start.ok_or(Error::Structure("it needs values that are not there"))?;
        let values = self.stack.split_off(start);
        if values.iter().any(|value| matches!(value, Value::Mark)) {
            return Err(Error::Structure("it needs values that are not there"));
        }
        Ok(values)
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value>, Error> {
        let mark = self
            .stack
            .iter()
            .rposition(|value| matches!(value, Value::Mark));
        let mark = mark.ok_or(Error::Structure("a mark is missing"))?;
        let values = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(values)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    fn unsigned(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    fn take(&mut self, length: usize) -> Result<&[u8], Error> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Error::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn line(&mut self) -> Result<String, Error> {
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        let line = self.take(end.ok_or(Error::Truncated)?)?;
        let line = String::from_utf8_lossy(line).into_owned();
        self.byte()?;
        Ok(line)
    }
}

/// The arguments of `torch._utils._rebuild_tensor_v2`: storage, offset, shape, strides, and two that do not matter here.
fn tensor(arguments: &[Value]) -> Result<TensorPlace, Error> {
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

fn size(value: &Value) -> Result<usize, Error> {
    let Value::Integer(value) = value else {
        return Err(Error::Structure("a size is no number"));
    };
    usize::try_from(*value).map_err(|_| Error::Structure("a size is negative"))
}

/// How deep a value with these members is.
fn depth(members: &[Value]) -> Result<usize, Error> {
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
