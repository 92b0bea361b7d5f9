//! MATLAB's files of version 5, as SVHN comes in them: a header, then elements, each a matrix and usually packed with zlib.
//! What an element promises is compared with what the file holds, and with a limit, before memory is given to it.
//!
//! # Source
//! MathWorks, "MAT-File Format", chapter 1.

use std::io::Read;
use std::path::Path;

use firebrick_storage::read_bounded;
use flate2::bufread::ZlibDecoder;

use crate::error::DataError;

/// The largest file; SVHN's extra images have 1.3 GB.
const MAX_FILE_BYTES: u64 = 2 << 30;
/// The most that one matrix may unpack to.
const MAX_MATRIX_BYTES: u64 = 2 << 30;
const HEADER_BYTES: usize = 128;
const HINT: &str =
    "this is no MATLAB file of version 5 with plain matrices, or it is damaged: fetch it again";

const INT8: u32 = 1;
const UINT8: u32 = 2;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const DOUBLE: u32 = 9;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// A matrix of whole numbers from 0 to 255, the first index running fastest.
#[derive(Debug)]
pub(super) struct Matrix {
    pub(super) name: String,
    pub(super) axes: Vec<usize>,
    pub(super) values: Vec<u8>,
}

/// The matrices of a file.
///
/// # Errors
/// [`DataError::Malformed`] with the byte at which the file is not what it should be; [`DataError::Storage`].
pub(super) fn read(path: &Path) -> Result<Vec<Matrix>, DataError> {
    let bytes = read_bounded(path, MAX_FILE_BYTES)?;
    parse(path, &bytes)
}

/// The matrices of a file's contents; `path` is for messages.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Matrix>, DataError> {
    let bad = |offset: usize, expected: &str, got: &dyn std::fmt::Display| {
        DataError::malformed(path, format!("byte {offset}"), expected, got, HINT)
    };
    let is_version_5 = bytes.get(124..HEADER_BYTES) == Some(b"\x00\x01IM");
    if !is_version_5 {
        return Err(bad(124, "a little-endian MATLAB header of version 5", &"other bytes"));
    }
    let mut elements = Elements { bytes, position: HEADER_BYTES };
    let mut matrices = Vec::new();
    loop {
        let offset = elements.position;
        let Some(element) = elements.next().map_err(|problem| bad(offset, "a whole element", &problem))?
        else {
            return Ok(matrices);
        };
        let unpacked;
        let element = match element.kind {
            COMPRESSED => {
                unpacked =
                    inflate(element.data).map_err(|problem| bad(offset, "a packed element", &problem))?;
                let mut inner = Elements { bytes: &unpacked, position: 0 };
                let inner = inner.next().map_err(|problem| bad(offset, "a whole element", &problem))?;
                inner.ok_or_else(|| bad(offset, "an element", &"nothing"))?
            }
            _ => element,
        };
        if element.kind != MATRIX {
            return Err(bad(offset, "a matrix (type 14)", &format!("type {}", element.kind)));
        }
        matrices.push(matrix(element.data).map_err(|problem| bad(offset, "a plain matrix", &problem))?);
    }
}

/// At most [`MAX_MATRIX_BYTES`], growing as they come.
fn inflate(packed: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = ZlibDecoder::new(packed).take(MAX_MATRIX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_MATRIX_BYTES {
        return Err(format!("more than {MAX_MATRIX_BYTES} bytes"));
    }
    Ok(bytes)
}

struct Element<'a> {
    kind: u32,
    data: &'a [u8],
}

/// The elements that stand one after another, each from a multiple of eight bytes on.
struct Elements<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Elements<'a> {
    fn next(&mut self) -> Result<Option<Element<'a>>, String> {
        if self.position >= self.bytes.len() {
            return Ok(None);
        }
        let word = |start: usize| {
            let word = self.bytes.get(start..start.checked_add(4)?)?;
            Some(u32::from_le_bytes(word.try_into().ok()?))
        };
        let cut = || format!("{} bytes and the end", self.bytes.len() - self.position);
        let first = word(self.position).ok_or_else(cut)?;
        // Up to four bytes stand in the tag itself.
        let is_small = first >> 16 != 0;
        let (kind, length) = match is_small {
            true => (first & 0xffff, (first >> 16) as usize),
            false => (first, word(self.position + 4).ok_or_else(cut)? as usize),
        };
        if is_small && length > 4 {
            return Err(format!("{length} bytes in a tag of 4"));
        }
        let start = self.position + if is_small { 4 } else { 8 };
        let data = start.checked_add(length).and_then(|end| self.bytes.get(start..end));
        let data = data.ok_or_else(|| format!("a promise of {length} bytes, and the end before"))?;
        self.position = match (is_small, kind) {
            (true, _) => self.position + 8,
            (false, COMPRESSED) => start + length,
            (false, _) => (start + length).next_multiple_of(8),
        };
        Ok(Some(Element { kind, data }))
    }
}

/// Flags, axes, name and values.
fn matrix(bytes: &[u8]) -> Result<Matrix, String> {
    let mut parts = Elements { bytes, position: 0 };
    let mut part = |what: &str| parts.next()?.ok_or_else(|| format!("no {what}"));
    let flags = part("flags")?;
    if flags.kind != UINT32 || flags.data.len() != 8 {
        return Err("other flags".to_owned());
    }
    // The byte above the class says that the numbers are complex, global or logical.
    if flags.data[1] & 0x08 != 0 {
        return Err("complex numbers".to_owned());
    }
    let axes = part("axes")?;
    if axes.kind != INT32 || axes.data.is_empty() || axes.data.len() % 4 != 0 || axes.data.len() > 32 {
        return Err("axes that are none".to_owned());
    }
    let axes = axes.data.as_chunks::<4>().0.iter().map(|axis| usize::try_from(i32::from_le_bytes(*axis)));
    let axes = axes.collect::<Result<Vec<_>, _>>().map_err(|_| "an axis below 0".to_owned())?;
    let name = part("name")?;
    if name.kind != INT8 {
        return Err("a name that is no text".to_owned());
    }
    let name = String::from_utf8_lossy(name.data).into_owned();
    let values = part("values")?;
    let count = axes.iter().try_fold(1_usize, |product, axis| product.checked_mul(*axis));
    let values = match values.kind {
        UINT8 => values.data.to_vec(),
        DOUBLE => {
            values.data.as_chunks::<8>().0.iter().map(|value| whole(*value)).collect::<Result<_, _>>()?
        }
        other => return Err(format!("numbers of type {other}, where bytes or doubles were expected")),
    };
    if count != Some(values.len()) {
        return Err(format!("{} values for axes of {axes:?}", values.len()));
    }
    Ok(Matrix { name, axes, values })
}

fn whole(value: [u8; 8]) -> Result<u8, String> {
    let value = f64::from_le_bytes(value);
    match (0.0..=255.0).contains(&value) && value.fract() == 0.0 {
        true => Ok(value as u8),
        false => Err(format!("the number {value}, where 0 to 255 was expected")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;

    use super::{DataError, HEADER_BYTES, Matrix, parse};

    fn element(kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn matrix(axes: &[i32], kind: u32, values: &[u8]) -> Vec<u8> {
        let axes: Vec<u8> = axes.iter().flat_map(|axis| axis.to_le_bytes()).collect();
        let small_name = [1, 0, 1, 0, b'y', 0, 0, 0];
        let parts = [
            element(6, &[9, 0, 0, 0, 0, 0, 0, 0]),
            element(5, &axes),
            small_name.to_vec(),
            element(kind, values),
        ];
        element(14, &parts.concat())
    }

    fn file(elements: &[u8]) -> Vec<u8> {
        let mut bytes = vec![b' '; HEADER_BYTES];
        bytes[124..].copy_from_slice(b"\x00\x01IM");
        [bytes, elements.to_vec()].concat()
    }

    fn packed(elements: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(elements).expect("memory takes everything");
        let data = encoder.finish().expect("memory takes everything");
        [&15_u32.to_le_bytes()[..], &(data.len() as u32).to_le_bytes(), &data].concat()
    }

    fn read(bytes: &[u8]) -> Result<Vec<Matrix>, DataError> {
        parse(Path::new("x.mat"), bytes)
    }

    #[test]
    fn plain_and_packed_bytes_and_doubles() {
        let doubles: Vec<u8> = [10.0_f64, 1.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let plain = matrix(&[2, 3], 2, &[1, 2, 3, 4, 5, 6]);
        let bytes = file(&[plain.clone(), packed(&plain), matrix(&[2, 1], 9, &doubles)].concat());
        let matrices = read(&bytes).expect("a good file");
        let seen: Vec<_> =
            matrices.iter().map(|m| (m.name.as_str(), m.axes.clone(), m.values.clone())).collect();
        let six = ("y", vec![2, 3], vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(seen, [six.clone(), six, ("y", vec![2, 1], vec![10, 1])]);
    }

    #[test]
    fn damage_is_told_with_its_place() {
        let good = file(&matrix(&[2, 3], 2, &[1, 2, 3, 4, 5, 6]));
        assert!(read(&good[..100]).is_err());
        for cut in HEADER_BYTES + 1..good.len() - 2 {
            assert!(read(&good[..cut]).is_err(), "cut at {cut}");
        }
        for place in 0..good.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bytes = good.clone();
                bytes[place] = value;
                let _ = read(&bytes);
            }
        }
        for (axes, kind) in [(&[2, 4][..], 2), (&[-2, -3], 2), (&[i32::MAX; 4], 2), (&[2, 3], 7)] {
            let error =
                read(&file(&matrix(axes, kind, &[1, 2, 3, 4, 5, 6]))).expect_err("damage").to_string();
            assert!(error.contains("x.mat: byte 128"), "{error}");
        }
    }
}
