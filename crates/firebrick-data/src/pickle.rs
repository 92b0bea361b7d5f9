//! The few pickle opcodes that data files of numbers use, read without executing anything.
//!
//! A pickle is a program that builds Python objects. This reader runs only the part that builds
//! plain values (numbers, strings, lists, tuples, dictionaries) and numpy arrays of bytes; a global
//! outside a short list, or an opcode that could call one, is an error. Values refer to one
//! another by number and are never copied, so that a few bytes cannot unfold into gigabytes, and the
//! numbers of operations and values are bounded.
//!
//! Published readers were looked at first: `serde-pickle` 1.2 drops the state that `BUILD` gives an
//! object, which is where numpy keeps the pixels, and `repugnant-pickle` 0.0.1 copies memoised values,
//! so that its memory is not bounded by the file's size.

mod machine;
mod numpy;
mod stack;
mod value;

pub use value::{ArrayState, Bytes, Global, MAX_OPERATIONS, MAX_VALUES, PickleError, Value, ValueId};
use value::{kind, shorten};

/// A two-dimensional array of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByteMatrix {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// `rows * columns` values, row by row.
    pub data: Bytes,
}

/// A read pickle: its values, and the one that it stands for.
#[derive(Clone, Debug)]
pub struct Pickle<'a> {
    file: &'a [u8],
    values: Vec<Value>,
    root: ValueId,
}

impl<'a> Pickle<'a> {
    /// Reads a whole file.
    ///
    /// # Errors
    /// [`PickleError`] for an opcode or global that is not plain data, a length past the end of the
    /// file, a missing end, bytes after the end, or too many operations.
    pub fn read(file: &'a [u8]) -> Result<Self, PickleError> {
        let (values, root) = machine::run(file)?;
        Ok(Self { file, values, root })
    }

    /// The value that the pickle stands for.
    pub fn root(&self) -> ValueId {
        self.root
    }

    /// A value.
    pub fn value(&self, id: ValueId) -> &Value {
        // Ids come from this pickle alone; a foreign one reads as nothing rather than panicking.
        self.values.get(id.0 as usize).unwrap_or(&Value::None)
    }

    /// The bytes of a `bytes` or `str` value.
    pub fn bytes(&self, id: ValueId) -> Option<&[u8]> {
        match self.value(id) {
            Value::Bytes(Bytes::InFile(range)) | Value::Text(range) => self.file.get(range.clone()),
            Value::Bytes(Bytes::Owned(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// What the dictionary `id` holds under the text `key`.
    ///
    /// # Errors
    /// When it is not a dictionary or has no such key.
    pub fn entry(&self, id: ValueId, key: &str) -> Result<ValueId, PickleError> {
        let Value::Dict(pairs) = self.value(id) else {
            return Err(self.wrong("a dictionary", id));
        };
        let found = pairs.iter().rev().find(|(name, _)| self.bytes(*name) == Some(key.as_bytes()));
        found.map(|(_, value)| *value).ok_or_else(|| {
            let keys = pairs.iter().take(16).filter_map(|(name, _)| self.bytes(*name));
            let keys: Vec<String> = keys.map(shorten).collect();
            let got = format!("the keys {}", keys.join(", "));
            PickleError::new(0, format!("a dictionary with the key `{key}`"), got)
        })
    }

    /// The elements of a list or tuple.
    ///
    /// # Errors
    /// When it is neither.
    pub fn elements(&self, id: ValueId) -> Result<&[ValueId], PickleError> {
        match self.value(id) {
            Value::List(elements) | Value::Tuple(elements) => Ok(elements),
            _ => Err(self.wrong("a list", id)),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it is something else.
    pub fn integer(&self, id: ValueId) -> Result<i64, PickleError> {
        match self.value(id) {
            Value::Integer(number) => Ok(*number),
            _ => Err(self.wrong("a whole number", id)),
        }
    }

    /// Text that is UTF-8.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(&self, id: ValueId) -> Result<&str, PickleError> {
        let text = self.bytes(id).and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.ok_or_else(|| self.wrong("text", id))
    }

    /// A numpy array of bytes with two axes whose data has the length that its shape promises.
    ///
    /// # Errors
    /// When it is not one.
    pub fn byte_matrix(&self, id: ValueId) -> Result<ByteMatrix, PickleError> {
        let Value::Array(Some(state)) = self.value(id) else {
            return Err(self.wrong("a numpy array", id));
        };
        self.check_element_type(state.element_type)?;
        let (rows, columns) = self.two_axes(state.shape)?;
        let Value::Bytes(data) = self.value(state.data) else {
            return Err(self.wrong("an array's bytes", state.data));
        };
        let length = self.bytes(state.data).map_or(0, <[u8]>::len);
        if rows.checked_mul(columns) != Some(length) {
            let expected = format!("{rows} x {columns} bytes");
            return Err(self.error(expected, format!("{length} bytes"), state.data));
        }
        let data = if state.fortran_order && rows > 1 && columns > 1 {
            let columnwise =
                self.bytes(state.data).unwrap_or_else(|| unreachable!("bug: bytes without bytes"));
            let by_row = (0..rows).flat_map(|row| columnwise.iter().skip(row).step_by(rows));
            Bytes::Owned(by_row.copied().collect())
        } else {
            data.clone()
        };
        Ok(ByteMatrix { rows, columns, data })
    }

    fn check_element_type(&self, id: ValueId) -> Result<(), PickleError> {
        let Value::ElementType(code) = self.value(id) else {
            return Err(self.wrong("a numpy element type", id));
        };
        match self.bytes(*code) {
            Some(b"u1" | b"|u1" | b"uint8") => Ok(()),
            other => {
                let got = format!("elements of type {}", shorten(other.unwrap_or_default()));
                Err(self.error("elements of type `u1` (bytes)", got, *code))
            }
        }
    }

    fn two_axes(&self, id: ValueId) -> Result<(usize, usize), PickleError> {
        let axes = self.elements(id)?;
        let &[rows, columns] = axes else {
            return Err(self.error("an array with 2 axes", format!("{} axes", axes.len()), id));
        };
        let size = |axis| {
            let length = self.integer(axis)?;
            usize::try_from(length)
                .map_err(|_| self.error("an axis of at least 0 elements", format!("{length}"), axis))
        };
        Ok((size(rows)?, size(columns)?))
    }

    fn wrong(&self, expected: &str, id: ValueId) -> PickleError {
        self.error(expected, kind(self.value(id)), id)
    }

    fn error(&self, expected: impl Into<String>, got: impl Into<String>, id: ValueId) -> PickleError {
        let offset = match self.value(id) {
            Value::Bytes(Bytes::InFile(range)) | Value::Text(range) => range.start,
            _ => 0,
        };
        PickleError::new(offset, expected, got)
    }
}
