//! Globals, calls and states, as far as numpy's byte arrays need them: a call is not made, what it
//! would have described is written down.

use super::stack::{MAX_LINE, Machine, Step};
use super::value::{ArrayState, Bytes, Global, PickleError, Value, ValueId, shorten};

impl Machine<'_> {
    pub(super) fn push_global(&mut self, opcode: u8) -> Step {
        let (module, name) = if opcode == b'c' {
            (self.line()?.to_vec(), self.line()?.to_vec())
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            (self.short_text(module)?, self.short_text(name)?)
        };
        let global = match (module.as_slice(), name.as_slice()) {
            (b"numpy.core.multiarray" | b"numpy._core.multiarray", b"_reconstruct") => Global::Reconstruct,
            (b"numpy.core.numeric" | b"numpy._core.numeric", b"_frombuffer") => Global::FromBuffer,
            (b"numpy", b"ndarray") => Global::NdArray,
            (b"numpy", b"dtype") => Global::ElementType,
            (b"_codecs", b"encode") => Global::Encode,
            _ => {
                let full = [module.as_slice(), b".", &name].concat();
                return Err(self.error(
                    "numpy's own names only (nothing is executed)",
                    format!("the global {}", shorten(&full)),
                ));
            }
        };
        self.push(Value::Global(global))
    }

    /// What a call would make, for the five globals whose result is plain data.
    pub(super) fn reduce(&mut self) -> Step {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let Value::Tuple(arguments) = self.value(arguments) else {
            return Err(self.unfit("a tuple of arguments", arguments));
        };
        let value = match (self.value(callable), arguments.as_slice()) {
            (Value::Global(Global::Reconstruct), _) => Value::Array(None),
            (Value::Global(Global::ElementType), &[code, ..]) => Value::ElementType(code),
            (Value::Global(Global::FromBuffer), &[data, element_type, shape, order]) => {
                let fortran_order = self.bytes(order) == Some(b"F");
                Value::Array(Some(ArrayState { shape, element_type, fortran_order, data }))
            }
            (Value::Global(Global::Encode), &[text, encoding]) => self.encode(text, encoding)?,
            _ => return Err(self.unfit("a numpy array, its type or its bytes", callable)),
        };
        self.push(value)
    }

    /// `text.encode("latin1")`: each character is one byte.
    fn encode(&mut self, text: ValueId, encoding: ValueId) -> Result<Value, PickleError> {
        if !matches!(self.bytes(encoding), Some(b"latin1" | b"latin-1")) {
            return Err(self.unfit("the encoding `latin1`", encoding));
        }
        let Value::Text(range) = self.value(text) else {
            return Err(self.unfit("text", text));
        };
        let characters = std::str::from_utf8(&self.file[range.clone()])
            .unwrap_or_else(|_| unreachable!("bug: a text that is not UTF-8 was not refused"));
        // The same text could be decoded again and again; honest files decode each part once.
        self.decoded += characters.len();
        if self.decoded > self.file.len() {
            return Err(self.error("each text encoded once", "more bytes than the file has"));
        }
        let bytes: Option<Vec<u8>> = characters.chars().map(|c| u8::try_from(c).ok()).collect();
        match bytes {
            Some(bytes) => Ok(Value::Bytes(Bytes::Owned(bytes))),
            None => Err(self.unfit("characters below 256", text)),
        }
    }

    /// Gives an array its state; an element type's adds nothing for bytes.
    pub(super) fn build(&mut self) -> Step {
        let state = self.pop()?;
        let target = self.top()?;
        match self.value(target) {
            Value::ElementType(_) => Ok(()),
            Value::Array(None) => {
                let state = self.array_state(state)?;
                self.values[target.0 as usize] = Value::Array(Some(state));
                Ok(())
            }
            _ => Err(self.unfit("a numpy array or element type to fill", target)),
        }
    }

    fn array_state(&self, state: ValueId) -> Result<ArrayState, PickleError> {
        let Value::Tuple(fields) = self.value(state) else {
            return Err(self.unfit("an array's state", state));
        };
        let &[_version, shape, element_type, order, data] = fields.as_slice() else {
            let got = format!("{} fields", fields.len());
            return Err(self.error("an array's state of 5 fields", got));
        };
        let fortran_order = match self.value(order) {
            Value::Bool(order) => *order,
            Value::Integer(order) => *order != 0,
            _ => return Err(self.unfit("a truth value", order)),
        };
        Ok(ArrayState { shape, element_type, fortran_order, data })
    }

    fn short_text(&self, id: ValueId) -> Result<Vec<u8>, PickleError> {
        match self.bytes(id) {
            Some(bytes) if bytes.len() <= MAX_LINE => Ok(bytes.to_vec()),
            _ => Err(self.unfit("a global's name", id)),
        }
    }
}
