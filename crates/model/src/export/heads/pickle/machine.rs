//! The instructions of a pickle.
//!
//! Invariant: an instruction only moves values about; the functions that a pickle may call are written here, and none is
//! Python's.

use std::collections::HashMap;
use std::rc::Rc;

use super::values::{GLOBALS, Global, LONGEST_TEXT, Nested, Value, depth, size, tensor};
use super::{Error, Storage};

/// The instructions' state: what is still to be read, and the values so far.
pub struct Machine<'a> {
    rest: &'a [u8],
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
}

impl<'a> Machine<'a> {
    /// A machine that has run none of `pickle`.
    pub fn new(pickle: &'a [u8]) -> Self {
        Self {
            rest: pickle,
            stack: Vec::new(),
            memo: HashMap::new(),
        }
    }

    /// Runs all instructions; the last value is the result.
    pub fn run(&mut self) -> Result<Value, Error> {
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
