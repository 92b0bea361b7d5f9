//! The folder and the name of a path.

use std::path::Path;

use crate::StorageError;

/// The folder in which `path` lies; `.` for a bare name.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// The folder and the name of `path`.
///
/// # Errors
/// [`StorageError::Name`] when it has no name, as `/` and `..`.
pub(crate) fn split_path(path: &Path) -> Result<(&Path, String), StorageError> {
    match path.file_name() {
        Some(name) => Ok((parent_of(path), name.to_string_lossy().into_owned())),
        None => Err(StorageError::Name {
            parent: parent_of(path).to_path_buf(),
            name: path.display().to_string(),
        }),
    }
}
