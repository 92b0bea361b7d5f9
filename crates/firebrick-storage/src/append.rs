//! A file that only grows.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::identity::is_at;
use crate::path::parent_of;
use crate::{StorageError, available_bytes, operation};

/// A file open for writing at its end.
#[derive(Debug)]
pub struct AppendFile {
    file: File,
    path: PathBuf,
    told_as: PathBuf,
    bytes: u64,
}

impl AppendFile {
    /// Makes an empty file where nothing is.
    ///
    /// # Errors
    /// [`StorageError::Io`] when something is there, or the system refuses.
    pub fn create(path: &Path) -> Result<Self, StorageError> {
        let file = operation::create_file(path).map_err(|error| StorageError::io(path, "create", error))?;
        Ok(Self::of(path, file))
    }

    /// Opens a file, or makes it, and cuts it to its first `bytes` bytes: what a crashed process
    /// wrote after them goes.
    ///
    /// # Errors
    /// [`StorageError::TooShort`] when it has fewer bytes, and then it stays as it was;
    /// [`StorageError::Io`] when it cannot be opened or cut.
    pub fn open(path: &Path, bytes: u64) -> Result<Self, StorageError> {
        let fail = |action| move |error| StorageError::io(path, action, error);
        if !path.exists() {
            let got = 0;
            return if bytes == 0 { Self::create(path) } else { Err(too_short(path, bytes, got)) };
        }
        let file = OpenOptions::new().append(true).open(path).map_err(fail("open"))?;
        let got = file.metadata().map_err(fail("read"))?.len();
        if got < bytes {
            return Err(too_short(path, bytes, got));
        }
        if got > bytes {
            operation::truncate(&file, path, bytes).map_err(fail("cut"))?;
        }
        Ok(Self { bytes, ..Self::of(path, file) })
    }

    pub(crate) fn of(path: &Path, file: File) -> Self {
        Self { file, path: path.to_path_buf(), told_as: path.to_path_buf(), bytes: 0 }
    }

    /// Lets errors name another path than that of the file.
    pub(crate) fn told_as(self, path: &Path) -> Self {
        Self { told_as: path.to_path_buf(), ..self }
    }

    /// The same file for another thread, which is to flush it; it counts its own bytes.
    ///
    /// # Errors
    /// [`StorageError::Io`] when the process has too many files open.
    pub fn try_clone(&self) -> Result<Self, StorageError> {
        let file =
            self.file.try_clone().map_err(|error| StorageError::io(&self.path, "open again", error))?;
        Ok(Self { bytes: self.bytes, ..Self::of(&self.path, file) }.told_as(&self.told_as))
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds bytes to its end. They survive this process from here on, and a power cut after
    /// [`Self::sync`].
    ///
    /// # Failure
    /// Some of the bytes may be at the end of the file.
    ///
    /// # Errors
    /// [`StorageError::Write`].
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        operation::append(&self.file, &self.path, bytes)
            .map_err(|error| cannot_write(&self.told_as, bytes.len(), error))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Whether it still lies at its path, as long as it was written.
    ///
    /// # Errors
    /// [`StorageError::Replaced`] when it was removed, moved or replaced, [`StorageError::TooShort`] when it was cut.
    pub fn check(&self) -> Result<(), StorageError> {
        if !is_at(&self.file, &self.path) {
            return Err(StorageError::Replaced { path: self.path.clone() });
        }
        let got = self.file.metadata().map_err(|error| StorageError::io(&self.path, "read", error))?.len();
        if got < self.bytes { Err(too_short(&self.path, self.bytes, got)) } else { Ok(()) }
    }

    /// Whether nothing else has written to its end. Not for a handle of [`Self::try_clone`], which does not hear of what
    /// the other writes.
    ///
    /// # Errors
    /// [`StorageError::NotAlone`] when it is longer than it was written.
    pub fn check_alone(&self) -> Result<(), StorageError> {
        let got = self.file.metadata().map_err(|error| StorageError::io(&self.path, "read", error))?.len();
        if got <= self.bytes {
            return Ok(());
        }
        Err(StorageError::NotAlone { path: self.path.clone(), expected: self.bytes, got })
    }

    /// Flushes everything to the disk.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn sync(&self) -> Result<(), StorageError> {
        operation::sync_file(&self.file, &self.path)
            .map_err(|error| StorageError::io(&self.told_as, "flush to disk", error))
    }
}

/// Makes a file where nothing is, without flushing it: for what is put into the folder of
/// [`commit_folder`](crate::commit_folder), which flushes.
///
/// # Errors
/// [`StorageError::Write`] when the disk is full, [`StorageError::Io`] otherwise.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    AppendFile::create(path)?.append(bytes)
}

fn cannot_write(path: &Path, bytes: usize, source: io::Error) -> StorageError {
    let available = available_bytes(parent_of(path)).ok();
    StorageError::Write { path: path.to_path_buf(), bytes, available, source }
}

fn too_short(path: &Path, min_bytes: u64, got: u64) -> StorageError {
    StorageError::TooShort { path: path.to_path_buf(), min_bytes, got }
}
