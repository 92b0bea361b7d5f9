//! One file, replaced whole or not at all.

use std::path::Path;

use crate::path::split_path;
use crate::temporary::Temporary;
use crate::{AppendFile, StorageError, operation};

/// Replaces the contents of `path` by `bytes`: writes a temporary file in the same folder, flushes
/// it to the disk, renames it over `path` and flushes the folder.
///
/// # Failure
/// `path` keeps its old contents, or stays absent, and the temporary file is removed. A crash can leave
/// a file `.<name>.tmp-*`, which nothing reads and [`remove_leftovers`](crate::remove_leftovers)
/// deletes. If only the last flush of the folder fails, `path` has its new contents,
/// but a power cut might still bring the old ones back.
///
/// # Errors
/// [`StorageError::Name`] when `path` has no file name, [`StorageError::Write`] when the disk is
/// full, [`StorageError::Io`] otherwise.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let (parent, name) = split_path(path)?;
    let (mut temporary, file) = Temporary::new(parent, &name, operation::create_file)
        .map_err(|error| StorageError::io(path, "create a temporary file beside", error))?;
    // Errors are to name the file that was meant.
    let mut file = AppendFile::of(temporary.path(), file).told_as(path);
    file.append(bytes)?;
    file.sync()?;
    temporary.move_to(path)?;
    sync_folder(parent)
}

pub(crate) fn sync_folder(folder: &Path) -> Result<(), StorageError> {
    operation::sync_folder(folder)
        .map_err(|error| StorageError::io(folder, "flush the folder to disk", error))
}
