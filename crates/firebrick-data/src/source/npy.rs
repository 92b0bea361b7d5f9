//! NumPy's array files: a header, which is a Python dictionary as text, then the numbers. The header is a promise: it is
//! compared with what the file holds before memory is given to it. Files of pickled objects are refused.
//!
//! # Source
//! NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays".

use std::path::Path;

use crate::error::DataError;

/// A header is shorter than this.
const MAX_HEADER_BYTES: usize = 1 << 16;
const MAX_AXES: usize = 8;

/// An array as it is stored, rows first.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) axes: Vec<usize>,
    /// The type of a number, such as `|u1` or `<i8`.
    pub(super) kind: String,
    /// The file's contents.
    pub(super) bytes: Vec<u8>,
    /// Where in it the numbers begin.
    pub(super) first: usize,
}

impl Array {
    /// The array in a file's contents; `path` is for messages.
    ///
    /// # Errors
    /// [`DataError::Malformed`] with the place in the header, or with both lengths.
    pub(super) fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, DataError> {
        let Header { kind, axes, first } = header(&bytes).map_err(|problem| {
            let hint = "save the array again with numpy.save";
            DataError::malformed(
                path,
                "header",
                "that of a .npy file of whole numbers, rows first",
                problem,
                hint,
            )
        })?;
        let promised = axes.iter().try_fold(width(&kind), |product, axis| product.checked_mul(*axis));
        let got = bytes.len() - first;
        if promised != Some(got) {
            let expected = format!("numbers of {kind} for axes {axes:?}, as the header says");
            let hint = "the file is cut short or damaged: fetch or save it again";
            return Err(DataError::malformed(
                path,
                format!("byte {first}"),
                expected,
                format!("{got} bytes"),
                hint,
            ));
        }
        Ok(Self { axes, kind, bytes, first })
    }

    /// The numbers as classes.
    ///
    /// # Errors
    /// [`DataError::Malformed`] for a number that is no class.
    pub(super) fn classes(&self, path: &Path) -> Result<Vec<u32>, DataError> {
        let numbers = self.bytes[self.first..].chunks_exact(width(&self.kind));
        let number = |(place, bytes): (usize, &[u8])| {
            let number = integer(&self.kind, bytes);
            u32::try_from(number).map_err(|_| {
                let place = format!("number {place}");
                DataError::malformed(path, place, "a class, from 0 on", number, "number the classes from 0")
            })
        };
        numbers.enumerate().map(number).collect()
    }
}

/// Bytes of a number of a kind that [`header`] has let through.
fn width(kind: &str) -> usize {
    usize::from(kind.as_bytes()[2] - b'0')
}

fn integer(kind: &str, bytes: &[u8]) -> i64 {
    let is_negative = kind.as_bytes()[1] == b'i'
        && match kind.as_bytes()[0] {
            b'>' => bytes[0] >= 0x80,
            _ => bytes[bytes.len() - 1] >= 0x80,
        };
    let mut whole = [if is_negative { 0xff } else { 0 }; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    if kind.starts_with('>') {
        whole[..bytes.len()].reverse();
    }
    i64::from_le_bytes(whole)
}

struct Header {
    kind: String,
    axes: Vec<usize>,
    first: usize,
}

fn header(bytes: &[u8]) -> Result<Header, String> {
    if bytes.get(..6) != Some(b"\x93NUMPY") {
        return Err("other bytes at the start".to_owned());
    }
    let number = |range: std::ops::Range<usize>| {
        bytes.get(range).map(|bytes| bytes.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b)))
    };
    let (start, length) = match bytes.get(6) {
        Some(1) => (10, number(8..10)),
        Some(2 | 3) => (12, number(8..12)),
        _ => return Err("another version".to_owned()),
    };
    let length = length.filter(|length| *length <= MAX_HEADER_BYTES).ok_or("a header that is too long")?;
    let text = bytes.get(start..start + length).ok_or("the end of the file")?;
    let text = std::str::from_utf8(text).map_err(|_| "a header that is no text")?;
    let value = |key: &str| {
        let after = text.split_once(&format!("'{key}'")).map(|(_, after)| after.trim_start());
        let after = after.and_then(|after| after.strip_prefix(':'));
        after.map(str::trim_start).ok_or_else(|| format!("no '{key}'"))
    };
    let kind =
        value("descr")?.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).map(|(kind, _)| kind);
    let kinds =
        ["|u1", "|i1", "<u2", "<i2", ">u2", ">i2", "<u4", "<i4", ">u4", ">i4", "<i8", ">i8", "<u8", ">u8"];
    let kind = kind.filter(|kind| kinds.contains(kind)).ok_or_else(|| {
        let shown: String = value("descr").unwrap_or_default().chars().take(20).collect();
        format!("numbers of {shown}, where whole numbers were expected (for images: array.astype('uint8'))")
    })?;
    if !value("fortran_order")?.starts_with("False") {
        return Err("columns first (save numpy.ascontiguousarray of it)".to_owned());
    }
    let shape = value("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or("no shape")?.0;
    let axes = shape.split(',').map(str::trim).filter(|axis| !axis.is_empty()).map(str::parse);
    let axes = axes.collect::<Result<Vec<usize>, _>>().map_err(|_| format!("the shape ({shape})"))?;
    if axes.is_empty() || axes.len() > MAX_AXES {
        return Err(format!("{} axes", axes.len()));
    }
    Ok(Header { kind: kind.to_owned(), axes, first: start + length })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Array;

    fn file(header: &str, numbers: &[u8]) -> Vec<u8> {
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), numbers].concat()
    }

    fn classes(kind: &str, numbers: &[u8], count: usize) -> Result<Vec<u32>, String> {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({count},), }}");
        let array =
            Array::parse(Path::new("y.npy"), file(&header, numbers)).map_err(|error| error.to_string())?;
        array.classes(Path::new("y.npy")).map_err(|error| error.to_string())
    }

    #[test]
    fn whole_numbers_of_every_kind() {
        assert_eq!(classes("|u1", &[3, 255], 2), Ok(vec![3, 255]));
        assert_eq!(classes("<i8", &[7, 1, 0, 0, 0, 0, 0, 0], 1), Ok(vec![263]));
        assert_eq!(classes(">i4", &[0, 0, 1, 7], 1), Ok(vec![263]));
        assert_eq!(classes("<u2", &[1, 2], 1), Ok(vec![513]));
        for (kind, numbers) in
            [("|i1", vec![255]), ("<i8", vec![255; 8]), (">i2", vec![255, 254]), ("<u8", vec![255; 8])]
        {
            assert!(
                classes(kind, &numbers, 1).is_err_and(|error| error.contains("number 0: expected a class"))
            );
        }
    }

    #[test]
    fn what_is_refused_is_told() {
        for (header, expected) in [
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "astype('uint8')"),
            ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "numbers of '|O'"),
            ("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", "whole numbers"),
            ("{'descr': '|u1', 'fortran_order': True, 'shape': (1,), }", "columns first"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "0 axes"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", "the shape (-1,)"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (1", "no shape"),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", "1 bytes"),
            ("{'descr': '<u8', 'fortran_order': False, 'shape': (9223372036854775807, 4), }", "1 bytes"),
            ("{'descr': '<u8', 'fortran_order': False}", "no 'shape'"),
        ] {
            let error = Array::parse(Path::new("y.npy"), file(header, &[0])).expect_err(header).to_string();
            assert!(error.contains(expected) && error.contains("y.npy"), "{error}");
        }
        let good = file("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", &[0]);
        for cut in 0..good.len() {
            assert!(Array::parse(Path::new("y.npy"), good[..cut].to_vec()).is_err(), "cut at {cut}");
        }
    }
}
