//! The stack machine: one opcode at a time, nothing is called.

use std::collections::HashMap;

use super::stack::{Machine, Step};
use super::value::{Bytes, MAX_OPERATIONS, PickleError, Value, ValueId, shorten};

/// Runs the whole file: all values, and the one that the pickle stands for.
pub(super) fn run(file: &[u8]) -> Result<(Vec<Value>, ValueId), PickleError> {
    let mut machine = Machine {
        file,
        position: 0,
        start: 0,
        values: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        decoded: 0,
    };
    for _ in 0..MAX_OPERATIONS {
        machine.start = machine.position;
        let opcode = machine.take(1)?[0];
        if opcode == b'.' {
            return machine.finish();
        }
        machine.step(opcode)?;
    }
    Err(machine.error(format!("at most {MAX_OPERATIONS} operations"), "more"))
}

impl Machine<'_> {
    fn step(&mut self, opcode: u8) -> Step {
        match opcode {
            0x80 => self.protocol(),
            0x95 => self.take(8).map(drop), // FRAME: only a hint about buffering
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'K' | b'M' | b'J' | 0x8a | b'I' | b'L' => self.push_integer(opcode),
            b'G' => {
                let raw = self.take_array::<8>()?;
                self.push(Value::Float(f64::from_be_bytes(raw)))
            }
            b'U' | b'T' | b'C' | b'B' | 0x8e | 0x96 | b'X' | 0x8c | 0x8d => self.push_bytes(opcode),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b')' => self.push(Value::Tuple(Vec::new())),
            b't' | b'l' | b'd' | 0x85..=0x87 => self.push_collection(opcode),
            b'a' | b'e' => self.append(opcode),
            b's' | b'u' => self.set_items(opcode),
            b'q' | b'r' | b'p' | 0x94 => self.memoize(opcode),
            b'h' | b'j' | b'g' => self.recall(opcode),
            b'0' => self.pop().map(drop),
            b'c' | 0x93 => self.push_global(opcode),
            b'R' => self.reduce(),
            b'b' => self.build(),
            _ => Err(self.error(
                "an opcode that makes plain data (nothing is executed)",
                format!("opcode 0x{opcode:02x} {}", shorten(&[opcode])),
            )),
        }
    }

    fn finish(mut self) -> Result<(Vec<Value>, ValueId), PickleError> {
        let root = self.pop()?;
        if !(self.stack.is_empty() && self.marks.is_empty()) {
            return Err(self.error("one value at the end", "more on the stack"));
        }
        if self.position != self.file.len() {
            let got = format!("{} more", self.file.len() - self.position);
            return Err(self.error("no bytes after the end of the pickle", got));
        }
        Ok((self.values, root))
    }

    fn protocol(&mut self) -> Step {
        match self.take(1)?[0] {
            0..=5 => Ok(()),
            other => Err(self.error("pickle protocol 0 to 5", format!("protocol {other}"))),
        }
    }

    fn push_integer(&mut self, opcode: u8) -> Step {
        let number = match opcode {
            b'K' => i64::from(self.take(1)?[0]),
            b'M' => i64::from(u16::from_le_bytes(self.take_array()?)),
            b'J' => i64::from(i32::from_le_bytes(self.take_array()?)),
            0x8a => self.long()?,
            _ => match self.line()? {
                b"00" => return self.push(Value::Bool(false)),
                b"01" => return self.push(Value::Bool(true)),
                text => self.written_integer(text)?,
            },
        };
        self.push(Value::Integer(number))
    }

    /// A little-endian number of up to 8 bytes in two's complement.
    fn long(&mut self) -> Result<i64, PickleError> {
        let length = usize::from(self.take(1)?[0]);
        if length > 8 {
            return Err(self.error("a number of at most 8 bytes", format!("{length} bytes")));
        }
        let bytes = self.take(length)?;
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..length].copy_from_slice(bytes);
        Ok(i64::from_le_bytes(wide))
    }

    fn written_integer(&self, text: &[u8]) -> Result<i64, PickleError> {
        let digits = std::str::from_utf8(text).ok().map(|text| text.trim_end_matches('L'));
        let number = digits.and_then(|digits| digits.parse().ok());
        number.ok_or_else(|| self.error("a whole number", shorten(text)))
    }

    fn push_bytes(&mut self, opcode: u8) -> Step {
        let length = match opcode {
            b'U' | b'C' | 0x8c => u64::from(self.take(1)?[0]),
            b'T' | b'B' | b'X' => u64::from(u32::from_le_bytes(self.take_array()?)),
            _ => u64::from_le_bytes(self.take_array()?),
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let bytes = self.take(length)?;
        let range = self.position - length..self.position;
        if !matches!(opcode, b'X' | 0x8c | 0x8d) {
            return self.push(Value::Bytes(Bytes::InFile(range)));
        }
        if std::str::from_utf8(bytes).is_err() {
            return Err(self.error("text in UTF-8", shorten(bytes)));
        }
        self.push(Value::Text(range))
    }

    fn push_collection(&mut self, opcode: u8) -> Step {
        let elements = match opcode {
            0x85..=0x87 => self.pop_many(usize::from(opcode - 0x84))?,
            _ => self.pop_to_mark()?,
        };
        match opcode {
            b'l' => self.push(Value::List(elements)),
            b'd' => {
                let pairs = self.pairs(&elements)?;
                self.push(Value::Dict(pairs))
            }
            _ => self.push(Value::Tuple(elements)),
        }
    }

    fn append(&mut self, opcode: u8) -> Step {
        let elements = if opcode == b'a' { vec![self.pop()?] } else { self.pop_to_mark()? };
        let target = self.top()?;
        match self.values.get_mut(target.0 as usize) {
            Some(Value::List(list)) => {
                list.extend(elements);
                Ok(())
            }
            _ => Err(self.unfit("a list to append to", target)),
        }
    }

    fn set_items(&mut self, opcode: u8) -> Step {
        let elements = if opcode == b's' { self.pop_many(2)? } else { self.pop_to_mark()? };
        let pairs = self.pairs(&elements)?;
        let target = self.top()?;
        match self.values.get_mut(target.0 as usize) {
            Some(Value::Dict(dict)) => {
                dict.extend(pairs);
                Ok(())
            }
            _ => Err(self.unfit("a dictionary to add to", target)),
        }
    }

    fn pairs(&self, elements: &[ValueId]) -> Result<Vec<(ValueId, ValueId)>, PickleError> {
        let (pairs, rest) = elements.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(self.error("a value for every key", "a key without one"));
        }
        Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
    }

    fn memoize(&mut self, opcode: u8) -> Step {
        let key = match opcode {
            0x94 => self.memo.len() as u64,
            _ => self.memo_key(opcode)?,
        };
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Step {
        let key = self.memo_key(opcode)?;
        match self.memo.get(&key) {
            Some(id) => {
                self.stack.push(*id);
                Ok(())
            }
            None => Err(self.error("a value kept before", format!("memo {key}, never filled"))),
        }
    }

    fn memo_key(&mut self, opcode: u8) -> Result<u64, PickleError> {
        match opcode {
            b'q' | b'h' => Ok(u64::from(self.take(1)?[0])),
            b'r' | b'j' => Ok(u64::from(u32::from_le_bytes(self.take_array()?))),
            _ => {
                let text = self.line()?;
                let number = self.written_integer(text)?;
                u64::try_from(number).map_err(|_| self.error("a memo number", shorten(text)))
            }
        }
    }
}
