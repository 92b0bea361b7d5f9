//! The machine's stack, values and place in the file.

use std::collections::HashMap;
use std::ops::Range;

use super::value::{Bytes, MAX_VALUES, PickleError, Value, ValueId, kind};

/// The longest line of a text opcode (a global's module, a written-out number).
pub(super) const MAX_LINE: usize = 256;

pub(super) struct Machine<'a> {
    pub(super) file: &'a [u8],
    pub(super) position: usize,
    /// Where the current opcode starts.
    pub(super) start: usize,
    pub(super) values: Vec<Value>,
    pub(super) stack: Vec<ValueId>,
    /// Heights of the stack at each open mark.
    pub(super) marks: Vec<usize>,
    pub(super) memo: HashMap<u64, ValueId>,
    /// Bytes that were decoded into memory of their own.
    pub(super) decoded: usize,
}

pub(super) type Step = Result<(), PickleError>;

impl<'a> Machine<'a> {
    pub(super) fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0 as usize]
    }

    pub(super) fn bytes(&self, id: ValueId) -> Option<&[u8]> {
        match self.value(id) {
            Value::Bytes(Bytes::InFile(range)) | Value::Text(range) => self.file.get(range.clone()),
            _ => None,
        }
    }

    pub(super) fn push(&mut self, value: Value) -> Step {
        if self.values.len() >= MAX_VALUES {
            return Err(self.error(format!("at most {MAX_VALUES} values"), "more"));
        }
        // `MAX_VALUES` is below what 32 bits hold.
        self.stack.push(ValueId(self.values.len() as u32));
        self.values.push(value);
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Result<ValueId, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(self.error("a value on the stack", "none"));
        }
        self.stack.pop().ok_or_else(|| self.error("a value on the stack", "none"))
    }

    pub(super) fn top(&self) -> Result<ValueId, PickleError> {
        self.stack.last().copied().ok_or_else(|| self.error("a value on the stack", "none"))
    }

    pub(super) fn pop_many(&mut self, count: usize) -> Result<Vec<ValueId>, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count) {
            Some(from) if from >= floor => Ok(self.stack.split_off(from)),
            _ => Err(self.error(format!("{count} values on the stack"), "fewer")),
        }
    }

    pub(super) fn pop_to_mark(&mut self) -> Result<Vec<ValueId>, PickleError> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => Err(self.error("a mark on the stack", "none")),
        }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let range: Option<Range<usize>> = self.position.checked_add(count).map(|end| self.position..end);
        let Some(bytes) = range.and_then(|range| self.file.get(range)) else {
            let left = self.file.len() - self.position;
            return Err(self.error(format!("{count} more bytes"), format!("{left}: it is cut short")));
        };
        self.position += count;
        Ok(bytes)
    }

    pub(super) fn take_array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The bytes up to the next line end, without it.
    pub(super) fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let rest = &self.file[self.position..];
        let end = rest.iter().take(MAX_LINE + 1).position(|byte| *byte == b'\n');
        let Some(end) = end else {
            return Err(self.error(format!("a line of at most {MAX_LINE} bytes"), "no line end"));
        };
        let line = self.take(end)?;
        self.position += 1;
        Ok(line)
    }

    pub(super) fn unfit(&self, expected: &str, id: ValueId) -> PickleError {
        self.error(expected, kind(self.value(id)))
    }

    pub(super) fn error(&self, expected: impl Into<String>, got: impl Into<String>) -> PickleError {
        PickleError::new(self.start, expected, got)
    }
}
