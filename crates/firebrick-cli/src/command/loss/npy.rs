//! NumPy's `.npy` files, versions 1 to 3, rows first: `numpy.save("x.npy", x)`.
//!
//! # Source
//!
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::array::{Array, Numbers};
use crate::exit::Exit;
use crate::message::Failure;

/// More than a loss is ever shown on the command line.
const MAX_BYTES: u64 = 1 << 28;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Reads one array.
pub fn read(path: &Path) -> Result<Array, Failure> {
    let refused = |why: String| Failure::Refused {
        exit: Exit::Data,
        text: format!("{}: {why}", path.display()),
        hint: None,
    };
    let file = File::open(path).map_err(|error| refused(format!("cannot read: {error}")))?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| refused(format!("cannot read: {error}")))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refused(format!("expected at most {MAX_BYTES} bytes, got more")));
    }
    parse(&bytes).map_err(refused)
}

fn parse(bytes: &[u8]) -> Result<Array, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("expected a NumPy file, got another first 6 bytes")?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or("cut off in its header")?;
    let (length, rest) = match version[0] {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or("cut off in its header")?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or("cut off in its header")?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        other => return Err(format!("expected format version 1, 2 or 3, got {other}")),
    };
    let (header, data) = rest.split_at_checked(length).ok_or("cut off in its header")?;
    let header = std::str::from_utf8(header).map_err(|_| "expected text in its header, got other bytes")?;
    if value(header, "fortran_order")? != "False" {
        return Err("expected rows first, got Fortran order; save numpy.ascontiguousarray(x)".into());
    }
    let shape = shape(value(header, "shape")?)?;
    let count = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let count = count.ok_or_else(|| format!("expected a smaller shape, got {shape:?}"))?;
    let numbers = numbers(value(header, "descr")?.trim_matches(['\'', '"']), data, count)?;
    Ok(Array::new(shape, numbers))
}

/// The text of one value in the header, a Python dictionary.
fn value<'a>(header: &'a str, key: &str) -> Result<&'a str, String> {
    let missing = || format!("expected `{key}` in its header, got {header}");
    let place = header.find(&format!("'{key}'")).ok_or_else(missing)?;
    let (_, rest) = header[place..].split_once(':').ok_or_else(missing)?;
    let rest = rest.trim_start();
    let end = match rest.starts_with('(') {
        true => rest.find(')').map(|end| end + 1),
        false => rest.find([',', '}']),
    };
    Ok(rest[..end.ok_or_else(missing)?].trim())
}

fn shape(text: &str) -> Result<Vec<usize>, String> {
    let sizes = text.trim_matches(['(', ')']).split(',').map(str::trim).filter(|size| !size.is_empty());
    sizes.map(|size| size.parse().map_err(|_| format!("expected a shape, got {text}"))).collect()
}

fn numbers(dtype: &str, data: &[u8], count: usize) -> Result<Numbers, String> {
    macro_rules! read {
        ($type:ty, $into:ident, $wide:ty) => {{
            let size = size_of::<$type>();
            if count.checked_mul(size) != Some(data.len()) {
                return Err(format!("expected {count} numbers of {size} bytes, got {} bytes", data.len()));
            }
            let (chunks, _) = data.as_chunks::<{ size_of::<$type>() }>();
            Numbers::$into(chunks.iter().map(|bytes| <$type>::from_le_bytes(*bytes) as $wide).collect())
        }};
    }
    Ok(match dtype {
        "<f4" => read!(f32, F32, f32),
        "<f8" => read!(f64, F64, f64),
        "<i8" => read!(i64, Integers, i64),
        "<i4" => read!(i32, Integers, i64),
        "<i2" => read!(i16, Integers, i64),
        "|i1" => read!(i8, Integers, i64),
        "|u1" => read!(u8, Integers, i64),
        other => return Err(format!("expected float32, float64 or integers, got {other}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `numpy.save` writes.
    fn file(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut header =
            format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
        header.resize(header.len().next_multiple_of(64) + 53, b' ');
        header.push(b'\n');
        let length = (header.len() as u16).to_le_bytes();
        [&MAGIC[..], &[1, 0], &length, &header, data].concat()
    }

    #[test]
    fn arrays_of_numpy_are_read() {
        let floats: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let array = parse(&file("<f4", "(2, 1)", &floats));
        assert_eq!(array, Ok(Array::new(vec![2, 1], Numbers::F32(vec![1.5, -2.0]))));
        let array = parse(&file("|u1", "(3,)", &[1, 2, 255]));
        assert_eq!(array, Ok(Array::new(vec![3], Numbers::Integers(vec![1, 2, 255]))));
        let array = parse(&file("<f8", "()", &0.5f64.to_le_bytes()));
        assert_eq!(array, Ok(Array::new(vec![], Numbers::F64(vec![0.5]))));
    }

    #[test]
    fn damaged_files_are_refused() {
        let good = file("<f4", "(2,)", &[0; 8]);
        for length in 0..good.len() {
            assert!(parse(&good[..length]).is_err(), "{length} bytes of {}", good.len());
        }
        let too_large = format!("({}, {})", usize::MAX, 2);
        for bad in [
            file("<f4", "(3,)", &[0; 8]),
            file("<f4", &too_large, &[0; 8]),
            file("<c8", "(1,)", &[0; 8]),
            file("<f4", "(-2,)", &[0; 8]),
        ] {
            assert!(parse(&bad).is_err());
        }
    }
}
