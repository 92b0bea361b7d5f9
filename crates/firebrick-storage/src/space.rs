//! Room on a disk.

use std::path::Path;

use crate::StorageError;

/// How many bytes this user may still write to the file system on which `path` lies; `path` must exist.
///
/// # Errors
/// [`StorageError::Io`] when the system does not say.
pub fn available_bytes(path: &Path) -> Result<u64, StorageError> {
    fs4::available_space(path).map_err(|error| StorageError::io(path, "ask for the free space of", error))
}
