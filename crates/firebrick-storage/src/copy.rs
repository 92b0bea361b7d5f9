//! Copies of files and committed folders, as durable as what is written for the first time.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::path::{parent_of, split_path};
use crate::temporary::Temporary;
use crate::{
    AppendFile, StorageError, commit_folder, create_folders, operation, verify_folder, write_atomic,
};

/// How much of a file is in memory at a time.
const PIECE_BYTES: usize = 8 << 20;

/// Copies the committed folder `from`, after it has verified, to `parent/name`, as
/// [`commit_folder`](crate::commit_folder) makes a new one. What its manifest does not list is not copied.
///
/// # Errors
/// As [`verify_folder`](crate::verify_folder) and [`commit_folder`](crate::commit_folder).
pub fn copy_folder(from: &Path, parent: &Path, name: &str) -> Result<PathBuf, StorageError> {
    let manifest = verify_folder(from)?;
    let copied = commit_folder(parent, name, |draft| {
        manifest.files.keys().try_for_each(|file| {
            let to = draft.join(file);
            create_folders(parent_of(&to))?;
            copy_new(&from.join(file), &to)
        })
    })?;
    // What was read the second time must be what had verified.
    let copy = verify_folder(&copied)?;
    if copy.files == manifest.files {
        return Ok(copied);
    }
    Err(StorageError::Replaced { path: from.to_path_buf() })
}

/// Copies a file to where nothing is, without flushing it: for what is put into the folder of
/// [`commit_folder`](crate::commit_folder), which flushes.
///
/// # Errors
/// [`StorageError::Io`] when it cannot be read or something is at `to`, [`StorageError::Write`] when the disk is full.
pub fn copy_new(from: &Path, to: &Path) -> Result<(), StorageError> {
    let source = File::open(from).map_err(|error| StorageError::io(from, "read", error))?;
    append_all(from, source, &mut AppendFile::create(to)?)
}

/// Makes `to`, in place of a file that may be there, of the first `bytes` bytes of `from`, whole or not at all, as
/// [`write_atomic`](crate::write_atomic) does.
///
/// # Errors
/// [`StorageError::TooShort`] when `from` has fewer bytes, otherwise as [`copy_new`].
pub fn copy_start(from: &Path, bytes: u64, to: &Path) -> Result<(), StorageError> {
    if bytes == 0 {
        return write_atomic(to, b"");
    }
    let (parent, name) = split_path(to)?;
    let source = File::open(from).map_err(|error| StorageError::io(from, "read", error))?;
    let (mut temporary, file) = Temporary::new(parent, &name, operation::create_file)
        .map_err(|error| StorageError::io(to, "create a temporary file beside", error))?;
    let mut file = AppendFile::of(temporary.path(), file).told_as(to);
    append_all(from, source.take(bytes), &mut file)?;
    if file.bytes() < bytes {
        return Err(StorageError::TooShort { path: from.to_path_buf(), min_bytes: bytes, got: file.bytes() });
    }
    file.sync()?;
    temporary.move_to(to)?;
    crate::atomic::sync_folder(parent)
}

fn append_all(from: &Path, mut source: impl Read, to: &mut AppendFile) -> Result<(), StorageError> {
    let mut piece = Vec::new();
    loop {
        piece.clear();
        let read = (&mut source).take(PIECE_BYTES as u64).read_to_end(&mut piece);
        match read.map_err(|error: io::Error| StorageError::io(from, "read", error))? {
            0 => return Ok(()),
            _ => to.append(&piece)?,
        }
    }
}
