//! Files and folders that are not finished: `.<name>.tmp-<pid>-<number>` beside the place where they will lie.

use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{StorageError, operation};

/// What stands between the name and the writer in every temporary name.
pub(crate) const MARK: &str = ".tmp-";

/// Something under a temporary name, removed when this value goes, unless it has moved into place.
pub(crate) struct Temporary {
    path: PathBuf,
    moved: bool,
}

impl Temporary {
    /// A name for `name` in `parent` under which nothing lies yet, made by `make`.
    pub(crate) fn new<T>(
        parent: &Path,
        name: &str,
        make: impl Fn(&Path) -> io::Result<T>,
    ) -> io::Result<(Self, T)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!(".{name}{MARK}{}-{number}", process::id()));
            match make(&path) {
                // A crash left it: of an earlier process with this number, or of one on another host.
                Err(error) if is_taken(&error) => {}
                made => return made.map(|made| (Self { path, moved: false }, made)),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Renames it to `target`.
    pub(crate) fn move_to(&mut self, target: &Path) -> Result<(), StorageError> {
        operation::rename(&self.path, target)
            .map_err(|error| StorageError::io(target, "rename into place", error))?;
        self.keep();
        Ok(())
    }

    /// Leaves it where it is.
    pub(crate) fn keep(&mut self) {
        self.moved = true;
    }
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.moved {
            // The failure that led here is the one to report; `remove_leftovers` gets the rest.
            let _ = operation::remove(&self.path);
        }
    }
}
