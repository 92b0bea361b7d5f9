//! The pages of a column: unpacked, levels and values apart. A header that says more than its bytes can hold is refused before memory is
//! asked for.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use crate::source::thrift::{I32, Problem, STRUCT, Walk};

/// A page unpacks to this at most, in bytes.
const MAX_PAGE_BYTES: i64 = 320 << 20;
/// The longest header of a page, in bytes: statistics are in it, which hold values.
const MAX_HEADER_BYTES: usize = 16 << 20;

/// How pages are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Snappy,
    Gzip,
}

impl Packing {
    /// By its number in a column's metadata.
    pub(super) fn of(codec: i64) -> Result<Self, Problem> {
        match codec {
            0 => Ok(Self::None),
            1 => Ok(Self::Snappy),
            2 => Ok(Self::Gzip),
            other => {
                let names = ["lzo", "brotli", "lz4", "zstd", "lz4_raw"];
                let place = usize::try_from(other - 3).ok();
                let name = place.and_then(|place| names.get(place)).unwrap_or(&"another number");
                Err(format!("compression {name}, where snappy, gzip or none is read"))
            }
        }
    }

    /// The most bytes that `packed` bytes unpack to: snappy copies 64 bytes for two, deflate 258 for two bits.
    fn most(self, packed: i64) -> i64 {
        match self {
            Self::None => packed,
            Self::Snappy => packed.saturating_mul(32).saturating_add(64),
            Self::Gzip => packed.saturating_mul(1032).saturating_add(64),
        }
    }

    fn unpack(self, packed: &[u8], length: usize) -> Result<Vec<u8>, Problem> {
        let bytes = match self {
            Self::None => packed.to_vec(),
            Self::Snappy => {
                let promised = snap::raw::decompress_len(packed).map_err(|error| error.to_string())?;
                if promised != length {
                    return Err(format!("{promised} bytes where its header says {length}"));
                }
                snap::raw::Decoder::new().decompress_vec(packed).map_err(|error| error.to_string())?
            }
            Self::Gzip => {
                let mut bytes = Vec::new();
                let read = MultiGzDecoder::new(packed).take(length as u64 + 1).read_to_end(&mut bytes);
                read.map_err(|error| error.to_string())?;
                bytes
            }
        };
        match bytes.len() == length {
            true => Ok(bytes),
            false => Err(format!("{} bytes where its header says {length}", bytes.len())),
        }
    }
}

/// What a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Values, one after another.
    Plain,
    /// Numbers of values in the dictionary.
    Indices,
    /// The dictionary.
    Dictionary,
}

/// A page, unpacked.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) holds: Holds,
    /// Rows, with those that have no value; or values of the dictionary.
    pub(super) count: usize,
    /// The levels, packed by run lengths; none where every row has a value.
    pub(super) levels: Option<Vec<u8>>,
    pub(super) values: Vec<u8>,
}

/// What a header says.
#[derive(Debug, Default)]
struct Header {
    kind: i64,
    unpacked: i64,
    packed: i64,
    count: i64,
    encoding: i64,
    level_bytes: i64,
    is_plain: bool,
}

const DATA: i64 = 0;
const DICTIONARY: i64 = 2;
const DATA_2: i64 = 3;

/// The pages in a column's bytes, one after another.
pub(super) struct Pages<'a> {
    bytes: &'a [u8],
    packing: Packing,
    has_levels: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(bytes: &'a [u8], packing: Packing, has_levels: bool) -> Self {
        Self { bytes, packing, has_levels }
    }

    /// The next page; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Page>, Problem> {
        loop {
            if self.bytes.is_empty() {
                return Ok(None);
            }
            let mut walk = Walk::new(&self.bytes[..self.bytes.len().min(MAX_HEADER_BYTES)]);
            let header = header(&mut walk)?;
            let body = &self.bytes[walk.position..];
            let (unpacked, packed) = (header.unpacked, header.packed);
            let is_possible = unpacked >= 0 && packed >= 0 && unpacked <= self.packing.most(packed);
            if !is_possible || unpacked > MAX_PAGE_BYTES || packed as usize > body.len() {
                return Err(format!(
                    "a page of {packed} bytes that unpacks to {unpacked}, and {} bytes",
                    body.len()
                ));
            }
            let (page, rest) = body.split_at(packed as usize);
            self.bytes = rest;
            match header.kind {
                DATA => return self.data(&header, page).map(Some),
                DATA_2 => return self.data_2(&header, page).map(Some),
                DICTIONARY => {
                    let values = self.packing.unpack(page, unpacked as usize)?;
                    // A value has its length in four bytes, or is a number of four bytes at least.
                    let count = usize::try_from(header.count).ok().filter(|count| *count <= values.len() / 4);
                    let count =
                        count.ok_or_else(|| format!("{} values in {unpacked} bytes", header.count))?;
                    if !matches!(header.encoding, 0 | 2) {
                        return Err(format!("a dictionary of encoding {}", header.encoding));
                    }
                    return Ok(Some(Page { holds: Holds::Dictionary, count, levels: None, values }));
                }
                _ => {} // an index of pages
            }
        }
    }

    fn data(&self, header: &Header, page: &[u8]) -> Result<Page, Problem> {
        let mut values = self.packing.unpack(page, header.unpacked as usize)?;
        let levels = match self.has_levels {
            false => None,
            true => {
                let length = values.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes) as usize);
                let end = length.and_then(|length| length.checked_add(4)).filter(|end| *end <= values.len());
                let end = end.ok_or("levels that are longer than their page")?;
                let rest = values.split_off(end);
                Some(std::mem::replace(&mut values, rest).split_off(4))
            }
        };
        Ok(Page { holds: holds(header.encoding)?, count: count(header)?, levels, values })
    }

    /// Levels stand in front, never packed.
    fn data_2(&self, header: &Header, page: &[u8]) -> Result<Page, Problem> {
        let length = usize::try_from(header.level_bytes).ok().filter(|length| *length <= page.len());
        let length = length.filter(|length| *length as i64 <= header.unpacked);
        let (levels, page) = page.split_at(length.ok_or("levels that are longer than their page")?);
        let packing = if header.is_plain { Packing::None } else { self.packing };
        let values = packing.unpack(page, header.unpacked as usize - levels.len())?;
        let levels = self.has_levels.then(|| levels.to_vec());
        Ok(Page { holds: holds(header.encoding)?, count: count(header)?, levels, values })
    }
}

fn count(header: &Header) -> Result<usize, Problem> {
    usize::try_from(header.count).map_err(|_| format!("{} values", header.count))
}

fn holds(encoding: i64) -> Result<Holds, Problem> {
    match encoding {
        0 => Ok(Holds::Plain),
        2 | 8 => Ok(Holds::Indices),
        other => Err(format!("encoding {other}, where plain values or a dictionary were expected")),
    }
}

fn header(walk: &mut Walk<'_>) -> Result<Header, Problem> {
    let mut header = Header { kind: -1, ..Header::default() };
    walk.fields(0, &mut |field, kind, walk| {
        match (field, kind) {
            (1, I32) => header.kind = walk.number()?,
            (2, I32) => header.unpacked = walk.number()?,
            (3, I32) => header.packed = walk.number()?,
            (5 | 7 | 8, STRUCT) => inner(field, walk, &mut header)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(header)
}

/// The header of a data page (5), a dictionary (7) or a data page of version 2 (8).
fn inner(page_kind: i64, walk: &mut Walk<'_>, header: &mut Header) -> Result<(), Problem> {
    walk.fields(1, &mut |field, kind, walk| {
        if (page_kind, field) == (8, 7) {
            // Whether the values are packed is told by the kind of the field itself: 1 is true, 2 is false.
            header.is_plain = kind == 2;
            return Ok(false);
        }
        if kind != I32 {
            return Ok(false);
        }
        let number = walk.number()?;
        match (page_kind, field) {
            (_, 1) => header.count = number,
            (5 | 7, 2) | (8, 4) => header.encoding = number,
            // Levels are run-length encoded; the older bit-packing is long gone.
            (5, 3 | 4) if number != 3 => return Err(format!("levels of encoding {number}")),
            (8, 5) => header.level_bytes = number,
            (8, 6) if number != 0 => return Err("lists of values".to_owned()),
            _ => {}
        }
        Ok(true)
    })
}

/// Numbers of `width` bits, packed by run lengths and in groups of eight bits.
pub(super) struct Runs<'a> {
    bytes: &'a [u8],
    width: u32,
    /// Of the run: numbers that are left, and what they are.
    left: usize,
    run: Run<'a>,
}

enum Run<'a> {
    Repeated(u32),
    /// The bytes, and the next bit.
    Packed(&'a [u8], usize),
}

impl<'a> Runs<'a> {
    pub(super) fn new(bytes: &'a [u8], width: u32) -> Result<Self, Problem> {
        match width <= 32 {
            true => Ok(Self { bytes, width, left: 0, run: Run::Repeated(0) }),
            false => Err(format!("numbers of {width} bits")),
        }
    }

    pub(super) fn next(&mut self) -> Result<u32, Problem> {
        while self.left == 0 {
            self.start()?;
        }
        self.left -= 1;
        match &mut self.run {
            Run::Repeated(value) => Ok(*value),
            Run::Packed(bytes, bit) => {
                let mut value = 0_u64;
                for place in 0..self.width as usize {
                    let at = *bit + place;
                    value |= u64::from(bytes[at / 8] >> (at % 8) & 1) << place;
                }
                *bit += self.width as usize;
                Ok(value as u32)
            }
        }
    }

    fn start(&mut self) -> Result<(), Problem> {
        let mut header = 0_u64;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = self.bytes.split_first().ok_or("fewer numbers than promised")?;
            self.bytes = rest;
            header |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                break;
            }
        }
        let count = (header >> 1) as usize;
        if header & 1 == 0 {
            let (value, rest) =
                self.bytes.split_at_checked(self.width.div_ceil(8) as usize).ok_or("a run that is cut")?;
            self.bytes = rest;
            self.left = count;
            self.run =
                Run::Repeated(value.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)));
            return Ok(());
        }
        let length = count.checked_mul(self.width as usize).ok_or("a run that is too long")?;
        // Writers may cut the last group; what is missing is never asked for.
        let (packed, rest) = self.bytes.split_at(length.min(self.bytes.len()));
        self.bytes = rest;
        self.left = match self.width {
            0 => count * 8,
            width => packed.len() * 8 / width as usize,
        };
        self.run = Run::Packed(packed, 0);
        match self.left {
            0 => Err("an empty group".to_owned()),
            _ => Ok(()),
        }
    }
}
