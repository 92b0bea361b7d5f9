//! Thrift's compact protocol, in which the headers of parquet files are written. Nothing is kept that is not asked for, and every length
//! is compared with the bytes that there are.
//!
//! # Source
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

/// How deep values may lie in one another.
const MAX_DEPTH: usize = 16;

const BOOLEAN_TRUE: u8 = 1;
const BOOLEAN_FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
const DOUBLE: u8 = 7;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;

/// What is wrong, in words.
pub(super) type Problem = String;

/// A place in the bytes.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    pub(super) position: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        let byte = self.bytes.get(self.position).copied().ok_or("the end of the bytes")?;
        self.position += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, Problem> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number that does not end".to_owned())
    }

    /// Text or bytes.
    pub(super) fn binary(&mut self) -> Result<&'a [u8], Problem> {
        let length = self.varint()?;
        let start = self.position;
        self.skip_bytes(length)?;
        Ok(&self.bytes[start..self.position])
    }

    /// A signed number.
    pub(super) fn number(&mut self) -> Result<i64, Problem> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn skip_bytes(&mut self, count: u64) -> Result<(), Problem> {
        let end = usize::try_from(count).ok().and_then(|count| self.position.checked_add(count));
        self.position =
            end.filter(|end| *end <= self.bytes.len()).ok_or("a promise of more bytes than there are")?;
        Ok(())
    }

    /// How many elements a list has, and of what kind; each takes a byte at least.
    pub(super) fn list(&mut self) -> Result<(u64, u8), Problem> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        if count > (self.bytes.len() - self.position) as u64 {
            return Err(format!("a list of {count} elements in fewer bytes"));
        }
        Ok((count, header & 0x0f))
    }

    /// Walks over a struct. `field` is told each field's number and kind; it returns true when it has walked over the value itself.
    pub(super) fn fields(
        &mut self,
        depth: usize,
        field: &mut dyn FnMut(i64, u8, &mut Self) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        let mut number = 0;
        loop {
            let header = self.byte()?;
            let kind = header & 0x0f;
            if header == 0 {
                return Ok(());
            }
            number = match header >> 4 {
                0 => self.number()?,
                step => number + i64::from(step),
            };
            if !field(number, kind, self)? {
                self.skip(kind, depth + 1, true)?;
            }
        }
    }

    /// Walks over a value. A truth value of a field stands in its header; one of a list is a byte.
    fn skip(&mut self, kind: u8, depth: usize, is_field: bool) -> Result<(), Problem> {
        if depth > MAX_DEPTH {
            return Err("values too deep in one another".to_owned());
        }
        match kind {
            BOOLEAN_TRUE | BOOLEAN_FALSE => self.skip_bytes(if is_field { 0 } else { 1 }),
            BYTE => self.skip_bytes(1),
            I16 | I32 | I64 => self.varint().map(drop),
            DOUBLE => self.skip_bytes(8),
            BINARY => {
                let length = self.varint()?;
                self.skip_bytes(length)
            }
            LIST | SET => {
                let (count, kind) = self.list()?;
                (0..count).try_for_each(|_| self.skip(kind, depth + 1, false))
            }
            MAP => {
                let count = self.varint()?;
                if count == 0 {
                    return Ok(());
                }
                let kinds = self.byte()?;
                for _ in 0..count {
                    self.skip(kinds >> 4, depth + 1, false)?;
                    self.skip(kinds & 0x0f, depth + 1, false)?;
                }
                Ok(())
            }
            STRUCT => self.fields(depth, &mut |_, _, _| Ok(false)),
            other => Err(format!("a value of kind {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Walk;

    #[test]
    fn a_struct_is_walked_to_its_end() {
        // 1: i32 = -3, 2: list of two i32, 5: binary "ab", 6: true, 7: a struct with a byte; then the end.
        let bytes = [0x15, 5, 0x19, 0x25, 2, 4, 0x38, 2, b'a', b'b', 0x11, 0x1c, 0x13, 9, 0, 0, 99];
        let mut seen = Vec::new();
        let mut walk = Walk::new(&bytes);
        let walked = walk.fields(0, &mut |number, kind, walk| {
            if number == 1 {
                seen.push((number, walk.number()?));
                return Ok(true);
            }
            seen.push((number, i64::from(kind)));
            Ok(false)
        });
        assert_eq!(walked, Ok(()));
        assert_eq!(seen, [(1, -3), (2, 9), (5, 8), (6, 1), (7, 12)]);
        assert_eq!(walk.position, bytes.len() - 1);
        for cut in 0..bytes.len() - 1 {
            assert!(Walk::new(&bytes[..cut]).fields(0, &mut |_, _, _| Ok(false)).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn promises_that_cannot_be_kept() {
        let deep = [0x1c; 100];
        let endless = [0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        let long = [0x18, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        let many = [0x19, 0xf5, 0xff, 0xff, 0xff, 0xff, 0x0f, 0];
        for bytes in [&deep[..], &endless, &long, &many, &[0x1e, 0]] {
            assert!(Walk::new(bytes).fields(0, &mut |_, _, _| Ok(false)).is_err(), "{bytes:?}");
        }
    }
}
