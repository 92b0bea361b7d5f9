//! A look over a pickle before anything is built of it: how many values it makes, and in which order its
//! strings stand.
//!
//! A pickle of a few megabytes can ask for gigabytes: an empty list is one byte of it and some hundred bytes in
//! memory. The scan itself builds nothing.
//!
//! # Source
//! The opcodes of CPython's `Lib/pickletools.py`, protocols 0 to 5.

use std::collections::HashMap;

/// The most opcodes of one file. A tensor of a state dict takes some forty, so this is enough for 12,000 of them; a
/// value takes at most some 600 bytes while it is read.
const MAX_OPCODES: usize = 500_000;

/// What a scan finds.
#[derive(Debug, Default)]
pub(super) struct PickleScan {
    /// Where each string stands first, counted in opcodes.
    positions: HashMap<String, usize>,
}

impl PickleScan {
    /// Goes over `num_pickles` pickles, one behind the other, at the start of `bytes`.
    ///
    /// # Errors
    ///
    /// A sentence: too many opcodes, an opcode that does not exist, or bytes that end too early.
    pub(super) fn of(bytes: &[u8], num_pickles: usize) -> Result<Self, String> {
        let mut scan = Self::default();
        let mut cursor = Cursor { bytes, position: 0 };
        let mut num_stops = 0;
        for number in 0.. {
            if number == MAX_OPCODES {
                return Err(format!(
                    "expected a pickle of at most {MAX_OPCODES} values and operations, got more; save the state dict alone"
                ));
            }
            let opcode = cursor.byte()?;
            if let Some(text) = cursor.argument(opcode)?.and_then(|text| std::str::from_utf8(text).ok()) {
                scan.positions.entry(text.to_owned()).or_insert(number);
            }
            num_stops += usize::from(opcode == b'.');
            if num_stops == num_pickles {
                break;
            }
        }
        Ok(scan)
    }

    /// Where `text` stands first as a string of its own.
    pub(super) fn position(&self, text: &str) -> Option<usize> {
        self.positions.get(text).copied()
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    /// Reads what belongs to `opcode`; gives it where it is a string.
    fn argument(&mut self, opcode: u8) -> Result<Option<&'a [u8]>, String> {
        match opcode {
            // Strings, by the size of their length.
            b'U' | 0x8c => self.counted(1).map(Some),
            b'T' | b'X' => self.counted(4).map(Some),
            0x8d => self.counted(8).map(Some),
            // Bytes and long integers.
            b'C' | 0x8a => self.counted(1).map(|_| None),
            b'B' | 0x8b => self.counted(4).map(|_| None),
            0x8e | 0x96 => self.counted(8).map(|_| None),
            // Text up to the end of the line, or of two.
            b'F' | b'I' | b'L' | b'P' | b'S' | b'V' | b'g' | b'p' => self.line().map(|()| None),
            b'c' | b'i' => self.line().and_then(|()| self.line()).map(|()| None),
            // Numbers of a fixed size.
            b'K' | b'h' | b'q' | 0x80 | 0x82 => self.take(1).map(|_| None),
            b'M' | 0x83 => self.take(2).map(|_| None),
            b'J' | b'j' | b'r' | 0x84 => self.take(4).map(|_| None),
            b'G' | 0x95 => self.take(8).map(|_| None),
            // Operations without an argument.
            b'('
            | b'.'
            | b'0'
            | b'1'
            | b'2'
            | b'N'
            | b'Q'
            | b'R'
            | b'a'
            | b'b'
            | b'd'
            | b'}'
            | b'e'
            | b'l'
            | b']'
            | b'o'
            | b's'
            | b't'
            | b')'
            | b'u'
            | 0x81
            | 0x85..=0x89
            | 0x8f..=0x94
            | 0x97
            | 0x98 => Ok(None),
            other => Err(format!(
                "byte {} of the pickle: no operation has the code 0x{other:02x}",
                self.position - 1
            )),
        }
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.position.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.position..end)).ok_or_else(|| self.too_short())?;
        self.position += count;
        Ok(taken)
    }

    /// Bytes behind their number, which itself has `width` bytes.
    fn counted(&mut self, width: usize) -> Result<&'a [u8], String> {
        let mut length = [0; 8];
        length[..width].copy_from_slice(self.take(width)?);
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(|_| self.too_short())?;
        self.take(length)
    }

    fn line(&mut self) -> Result<(), String> {
        let rest = &self.bytes[self.position..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| self.too_short())?;
        self.position += length + 1;
        Ok(())
    }

    fn too_short(&self) -> String {
        format!("the pickle ends too early, or has more than {} bytes", self.bytes.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::PickleScan;

    #[test]
    fn strings_have_the_place_where_they_stand_first() {
        // {"b": {"a": 1}, "a": "b"} in protocol 2, and in protocol 4 with a frame.
        let second = b"\x80\x02}(X\x01\0\0\0b}X\x01\0\0\0aK\x01sX\x01\0\0\0aX\x01\0\0\0bu.";
        let fourth = b"\x80\x04\x95\0\0\0\0\0\0\0\0}(\x8c\x01b\x94}\x8c\x01a\x94K\x01sh\0h\x01u.";
        for bytes in [second.as_slice(), fourth] {
            let scan = PickleScan::of(bytes, 1).unwrap();
            assert!(scan.position("b").unwrap() < scan.position("a").unwrap());
            assert_eq!(scan.position("c"), None);
            for cut in 0..bytes.len() {
                assert!(PickleScan::of(&bytes[..cut], 1).is_err(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn pickles_are_counted() {
        let two = b"\x80\x02K\x01.\x80\x02X\x01\0\0\0a.rest";
        assert_eq!(PickleScan::of(two, 1).unwrap().position("a"), None);
        assert!(PickleScan::of(two, 2).unwrap().position("a").is_some());
        assert!(PickleScan::of(two, 3).is_err());
    }

    #[test]
    fn too_many_values_and_lengths_that_lie_are_refused() {
        let error = |bytes: &[u8]| PickleScan::of(bytes, 1).unwrap_err();
        assert!(error(&[b"]".repeat(2_000_000), b".".to_vec()].concat()).contains("at most 500000 values"));
        assert!(error(b"X\xff\xff\xff\xffa.").contains("ends too early"));
        assert!(error(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.").contains("ends too early"));
        assert!(error(b"I12").contains("ends too early"));
        assert!(error(b"\xff.").contains("code 0xff"));
    }
}
