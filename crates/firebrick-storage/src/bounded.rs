//! Whole files into memory, never more of them than the caller allows. Only reads: a failure
//! leaves the disk as it was.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::StorageError;

/// Memory is asked for in steps of at most this, so that a promise alone allocates nothing.
const FIRST_ALLOCATION_BYTES: u64 = 1 << 20;

/// Reads a regular file of at most `max_bytes`.
///
/// # Errors
/// [`StorageError::TooLong`] before anything is read when the file is longer,
/// [`StorageError::Io`] when it cannot be read or is not a regular file.
pub fn read_bounded(path: &Path, max_bytes: u64) -> Result<Vec<u8>, StorageError> {
    let (file, length) = open_regular(path)?;
    if length > max_bytes {
        return Err(too_long(path, max_bytes, format!("{length} bytes")));
    }
    let bytes =
        read_limited(file, length, max_bytes).map_err(|error| StorageError::io(path, "read", error))?;
    bytes.ok_or_else(|| too_long(path, max_bytes, "more, and growing".to_owned()))
}

/// Reads and unpacks a gzip file whose contents are at most `max_bytes` long. Damage, a cut end,
/// a wrong checksum and bytes after the end are errors.
///
/// # Errors
/// [`StorageError::Gzip`], [`StorageError::TooLong`], or [`StorageError::Io`].
pub fn gunzip_bounded(path: &Path, max_bytes: u64) -> Result<Vec<u8>, StorageError> {
    let (file, _) = open_regular(path)?;
    gunzip_reader(path, BufReader::with_capacity(1 << 16, file), max_bytes)
}

/// [`gunzip_bounded`] of bytes in memory; `path` is for messages only.
///
/// # Errors
/// As [`gunzip_bounded`].
pub fn gunzip_slice_bounded(path: &Path, bytes: &[u8], max_bytes: u64) -> Result<Vec<u8>, StorageError> {
    gunzip_reader(path, bytes, max_bytes)
}

/// The first `count` bytes of a regular file (fewer when it is shorter) and its whole length.
///
/// # Errors
/// [`StorageError::Io`] when it cannot be read or is not a regular file.
pub fn read_prefix(path: &Path, count: usize) -> Result<(Vec<u8>, u64), StorageError> {
    let (file, length) = open_regular(path)?;
    let bytes = take_prefix(file, count).map_err(|error| StorageError::io(path, "read", error))?;
    Ok((bytes, length))
}

/// The `length` bytes of a regular file from byte `offset` on. `length` is the caller's promise to have checked it
/// against a limit; it is checked against the file here, before memory is asked for.
///
/// # Errors
/// [`StorageError::Io`] when it cannot be read, is not a regular file, or ends earlier.
pub fn read_part(path: &Path, offset: u64, length: u64) -> Result<Vec<u8>, StorageError> {
    let (mut file, total) = open_regular(path)?;
    let fail = |error| StorageError::io(path, "read", error);
    if offset.checked_add(length).is_none_or(|end| end > total) {
        let what = format!("it ends at byte {total}, before the {length} bytes from byte {offset} on do");
        return Err(fail(io::Error::new(io::ErrorKind::UnexpectedEof, what)));
    }
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(offset)).map_err(fail)?;
    file.read_exact(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

/// The first `count` bytes that a gzip file unpacks to, fewer when it holds fewer.
///
/// # Errors
/// [`StorageError::Gzip`] or [`StorageError::Io`].
pub fn gunzip_prefix(path: &Path, count: usize) -> Result<Vec<u8>, StorageError> {
    let (file, _) = open_regular(path)?;
    let decoder = MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file));
    take_prefix(decoder, count).map_err(|error| gzip_error(path, 0, error))
}

fn take_prefix(reader: impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn gunzip_reader(path: &Path, reader: impl io::BufRead, max_bytes: u64) -> Result<Vec<u8>, StorageError> {
    let mut counted = Counted { inner: MultiGzDecoder::new(reader), bytes: 0 };
    let read = read_limited(&mut counted, FIRST_ALLOCATION_BYTES, max_bytes);
    let good_bytes = counted.bytes;
    match read {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(too_long(path, max_bytes, "more once unpacked".to_owned())),
        Err(error) => Err(gzip_error(path, good_bytes, error)),
    }
}

/// Bad contents are told from a disk that does not answer: only the system's errors have a number.
fn gzip_error(path: &Path, good_bytes: u64, error: io::Error) -> StorageError {
    if error.raw_os_error().is_some() {
        return StorageError::io(path, "read", error);
    }
    StorageError::Gzip { path: path.to_path_buf(), good_bytes, problem: error.to_string() }
}

/// Opens a regular file and says how long it is. Folders, pipes and devices are refused before
/// they are opened, because opening a pipe waits for a writer.
pub(crate) fn open_regular(path: &Path) -> Result<(File, u64), StorageError> {
    let metadata = path.metadata().map_err(|error| StorageError::io(path, "read", error))?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() { "it is a folder" } else { "it is not a regular file" };
        let error = io::Error::new(io::ErrorKind::InvalidInput, kind);
        return Err(StorageError::io(path, "read", error));
    }
    let file = File::open(path).map_err(|error| StorageError::io(path, "read", error))?;
    Ok((file, metadata.len()))
}

/// Everything `reader` has, or `None` when that is more than `max_bytes`.
fn read_limited(reader: impl Read, likely: u64, max_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let capacity = likely.min(max_bytes).min(256 * FIRST_ALLOCATION_BYTES);
    // At most 256 MiB.
    let mut bytes = Vec::with_capacity(capacity as usize);
    reader.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    bytes.shrink_to_fit();
    Ok((bytes.len() as u64 <= max_bytes).then_some(bytes))
}

fn too_long(path: &Path, max_bytes: u64, got: String) -> StorageError {
    StorageError::TooLong { path: path.to_path_buf(), max_bytes, got }
}

/// Counts what went through, so that an error can say where it happened.
pub(crate) struct Counted<R> {
    pub(crate) inner: R,
    pub(crate) bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}
