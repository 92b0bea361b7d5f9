//! One file, replaced whole or not at all.

use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::path::Path;

use crate::StorageError;

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
/// [`StorageError::Name`] when `path` has no file name, [`StorageError::Io`] otherwise.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let (parent, name) = split_path(path)?;
    let mut builder = tempfile::Builder::new();
    let prefix = temporary_prefix(&name);
    builder.prefix(&prefix).rand_bytes(8);
    if let Some(permissions) = default_permissions(0o666) {
        builder.permissions(permissions);
    }
    let mut file = builder
        .tempfile_in(parent)
        .map_err(|error| StorageError::io(path, "create a temporary file beside", error))?;
    file.write_all(bytes).map_err(|error| StorageError::io(path, "write", error))?;
    file.as_file().sync_all().map_err(|error| StorageError::io(path, "flush to disk", error))?;
    file.persist(path).map_err(|error| StorageError::io(path, "rename into place", error.error))?;
    sync_folder(parent)
}

/// The folder and the name of `path`.
fn split_path(path: &Path) -> Result<(&Path, String), StorageError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match path.file_name() {
        Some(name) => Ok((parent, name.to_string_lossy().into_owned())),
        None => Err(StorageError::Name { parent: parent.to_path_buf(), name: path.display().to_string() }),
    }
}

/// What the names of all temporary files and folders for `name` start with.
pub(crate) fn temporary_prefix(name: &str) -> String {
    format!(".{name}.tmp-")
}

/// The permissions a program normally gives; the system takes the user's umask off. Temporary
/// files are private by default, which is wrong for a file that stays.
#[cfg(unix)]
pub(crate) fn default_permissions(mode: u32) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(crate) fn default_permissions(_mode: u32) -> Option<Permissions> {
    None
}

/// Flushes the contents of a file that somebody else wrote.
pub(crate) fn sync_file(path: &Path) -> Result<(), StorageError> {
    // Windows flushes only through a handle that may write; elsewhere this also proves ownership.
    OpenOptions::new()
        .read(true)
        .write(cfg!(windows))
        .open(path)
        .and_then(|file: File| file.sync_all())
        .map_err(|error| StorageError::io(path, "flush to disk", error))
}

/// Makes renames inside `folder` survive a power cut. Windows cannot flush a folder and needs not.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> Result<(), StorageError> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(|error| StorageError::io(folder, "flush the folder to disk", error))
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> Result<(), StorageError> {
    Ok(())
}
