//! Files that have several names, as a backup made of hard links has (`cp -al`, `rsync --link-dest`).

use std::fs::Metadata;
use std::io;
use std::path::Path;

use crate::{StorageError, read_bounded, write_atomic};

/// Makes a file that has other names one of its own, so that what is written to it changes nothing under the others. Does
/// nothing where there is no file, or one with this name alone.
///
/// # Errors
/// [`StorageError::Io`] and those of [`write_atomic`].
pub fn separate_from_links(path: &Path) -> Result<(), StorageError> {
    match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StorageError::io(path, "read", error)),
        Ok(found) if has_other_names(&found) => write_atomic(path, &read_bounded(path, found.len().max(1))?),
        Ok(_) => Ok(()),
    }
}

#[cfg(unix)]
fn has_other_names(found: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(found) > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &Metadata) -> bool {
    false
}
