//! The pickle of a PyTorch file, looked over before the reader builds anything of it.
//!
//! `torch.save` writes a zip archive (since 1.6), or before that a stream of pickles with the numbers behind them.
//! Before 0.1.10, until March 2017, it wrote a tar archive, which could only be read as a whole: it is refused.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use zip::{ZipArchive, ZipReadOptions};

use super::pickle_scan::PickleScan;

/// The largest pickle: the names, shapes and plain values of a checkpoint, without the tensors' numbers.
const MAX_PICKLE_BYTES: u64 = 16 << 20;
/// The most files of an archive; a state dict has one a tensor.
const MAX_ENTRIES: u64 = 100_000;
/// The end record of a zip archive, without a comment.
const END_BYTES: u64 = 22;
/// The longest comment behind it.
const MAX_COMMENT_BYTES: u64 = 1 << 16;
/// The zip64 locator, which stands in front of the end record.
const LOCATOR_BYTES: u64 = 20;
/// The pickles of the older format: magic number, version, system, the object, the storages' keys.
const STREAM_PICKLES: usize = 5;
/// The magic number as protocols from 2 on write it.
const STREAM_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// The same in protocols 0 and 1.
const STREAM_MAGIC_TEXT: &[u8] = b"119547037146038801333356";

/// Looks over the pickle of `path`.
///
/// # Errors
///
/// A sentence: no such file as `torch.save` writes, or one that would take too much memory.
pub(super) fn scan(path: &Path) -> Result<PickleScan, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let mut head = Vec::new();
    (&mut file).take(512).read_to_end(&mut head).map_err(|error| error.to_string())?;
    if head.starts_with(b"PK\x03\x04") {
        check_end(&mut file)?;
        return PickleScan::of(&zip_pickle(file)?, 1);
    }
    if head.get(257..262) == Some(b"ustar") {
        return Err(
            "a tar archive, as PyTorch before 0.1.10 (March 2017) wrote; load it in PyTorch and save it \
                    again"
                .to_owned(),
        );
    }
    let magic = &head[..head.len().min(64)];
    let is_stream = magic.windows(STREAM_MAGIC.len()).any(|bytes| bytes == STREAM_MAGIC)
        || magic.windows(STREAM_MAGIC_TEXT.len()).any(|bytes| bytes == STREAM_MAGIC_TEXT);
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(0)).map_err(|error| error.to_string())?;
    file.take(MAX_PICKLE_BYTES).read_to_end(&mut start).map_err(|error| error.to_string())?;
    PickleScan::of(&start, if is_stream { STREAM_PICKLES } else { 1 })
}

/// Refuses an archive that lists more files than any checkpoint has, before the list is read.
fn check_end(file: &mut File) -> Result<(), String> {
    let length = file.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    let tail_start = length.saturating_sub(END_BYTES + MAX_COMMENT_BYTES);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(tail_start)).map_err(|error| error.to_string())?;
    file.take(END_BYTES + MAX_COMMENT_BYTES).read_to_end(&mut tail).map_err(|error| error.to_string())?;
    let mut records = tail.windows(END_BYTES as usize);
    let Some(position) = records.rposition(|bytes| bytes.starts_with(b"PK\x05\x06")) else {
        return Err("the zip archive has no end record: the file is cut off".to_owned());
    };
    let end_start = tail_start + position as u64;
    let end = &tail[position..];
    let mut num_entries = u64::from(u16::from_le_bytes([end[10], end[11]]));
    let is_full = |field: std::ops::Range<usize>| end[field].iter().all(|byte| *byte == 0xff);
    if is_full(10..12) || is_full(12..16) || is_full(16..20) {
        let locator_start =
            end_start.checked_sub(LOCATOR_BYTES).ok_or("the zip archive has no zip64 record")?;
        let locator: [u8; LOCATOR_BYTES as usize] = read_at(file, locator_start)?;
        let record: [u8; 40] = read_at(file, number(&locator[8..16]))?;
        if !locator.starts_with(b"PK\x06\x07") || !record.starts_with(b"PK\x06\x06") {
            return Err("the zip archive has no zip64 record where its end says".to_owned());
        }
        num_entries = number(&record[32..40]);
    }
    if num_entries > MAX_ENTRIES {
        return Err(format!("expected an archive of at most {MAX_ENTRIES} files, got {num_entries}"));
    }
    Ok(())
}

fn read_at<const N: usize>(file: &mut File, start: u64) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut bytes));
    read.map_err(|error| format!("the zip archive's end cannot be read: {error}"))?;
    Ok(bytes)
}

/// Eight bytes, little endian.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// `data.pkl` of the outermost folder that has one.
fn zip_pickle(file: File) -> Result<Vec<u8>, String> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| error.to_string())?;
    let names = archive.file_names().collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let is_pickle =
        |name: &str| name.strip_suffix("data.pkl").is_some_and(|root| root.is_empty() || root.ends_with('/'));
    let name =
        names.iter().filter(|name| is_pickle(name)).min_by_key(|name| name.len()).map(ToString::to_string);
    let Some(name) = name else {
        return Err(format!(
            "a zip archive without the `data.pkl` of PyTorch; it holds {}",
            names
                .iter()
                .take(3)
                .map(|name| format!("`{}`", name.escape_debug()))
                .collect::<Vec<_>>()
                .join(", ")
        ));
    };
    // A checksum of 0 was never computed; the reader behind this checks the others.
    let index = archive.index_for_name(&name).ok_or("the pickle is not where the archive says")?;
    let options = ZipReadOptions::new().ignore_crc32(true);
    let entry = archive.by_index_with_options(index, options).map_err(|error| error.to_string())?;
    if entry.size() > MAX_PICKLE_BYTES {
        return Err(format!("expected a pickle of at most {MAX_PICKLE_BYTES} bytes, got {}", entry.size()));
    }
    let mut pickle = Vec::new();
    entry.take(MAX_PICKLE_BYTES + 1).read_to_end(&mut pickle).map_err(|error| error.to_string())?;
    Ok(pickle)
}
