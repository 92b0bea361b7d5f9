//! Whether what lies at a path is still what was opened there.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// A file or folder, told from another one that has taken its place. It stays open, so that the system gives its
/// number to no other.
#[derive(Debug)]
pub(crate) struct Identity {
    #[cfg(unix)]
    opened: File,
}

impl Identity {
    /// Of what lies at `path` now.
    #[cfg(unix)]
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { opened: File::open(path)? })
    }

    /// Windows lets nobody remove or replace what is open, and the lock file is.
    #[cfg(not(unix))]
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|_| Self {})
    }

    /// Whether it still lies at `path`.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        #[cfg(unix)]
        return is_at(&self.opened, path);
        #[cfg(not(unix))]
        return path.exists();
    }
}

/// Whether an open file is the one that lies at `path`.
pub(crate) fn is_at(opened: &File, path: &Path) -> bool {
    match (opened.metadata(), fs::metadata(path)) {
        (Ok(opened), Ok(found)) => is_same(&opened, &found),
        _ => false,
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    one.is_dir() == other.is_dir()
}
