//! The file a download grows in, and its way to the final name.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::checksum::{Checksum, Sum};
use super::target::{Target, read_chunks};
use crate::error::DataError;
use crate::progress::Progress;

/// `<name>.part`, locked for this process, with the sum of what it holds so far.
pub(super) struct PartFile {
    file: File,
    path: PathBuf,
    len: u64,
    resumed_from: u64,
    checksum: Checksum,
    sum: Sum,
}

/// Where a file grows.
pub(super) fn path_of(target: &Target) -> PathBuf {
    let mut name = target.path.clone().into_os_string();
    name.push(".part");
    PathBuf::from(name)
}

impl PartFile {
    /// Opens the part file an earlier download left, or an empty one; none while another process has it. What it holds
    /// is yet to be [taken in](Self::take_in_what_is_there).
    pub(super) fn open(target: &Target) -> Result<Option<Self>, DataError> {
        let path = path_of(target);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let file = options.open(&path).map_err(|error| DataError::io(&path, "open", error))?;
        if !lock(&file, &path)? || !is_at(&file, &path) {
            return Ok(None);
        }
        let checksum = target.file.checksum;
        Ok(Some(Self { file, path, len: 0, resumed_from: 0, checksum, sum: checksum.start() }))
    }

    /// Sums up what an earlier download left, and goes to its end.
    pub(super) fn take_in_what_is_there(&mut self, progress: &dyn Progress) -> Result<(), DataError> {
        let len = self.file.metadata().map_err(|error| self.io("look at", error))?.len();
        if len == 0 {
            return Ok(());
        }
        let stage = format!("reading {}", self.path.display());
        progress.stage(&stage, Some(len));
        let Self { file, path, sum, len, .. } = self;
        read_chunks(file, path, &stage, progress, |chunk| {
            sum.update(chunk);
            *len += chunk.len() as u64;
            Ok(())
        })?;
        self.resumed_from = self.len;
        Ok(())
    }

    /// Bytes it holds.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes of it that an earlier download left.
    pub(super) fn resumed_from(&self) -> u64 {
        self.resumed_from
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The sum of all it holds.
    pub(super) fn sum(&self) -> String {
        self.sum.clone().finish()
    }

    /// Adds bytes to the end.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.file.write_all(bytes).map_err(|error| self.io("write", error))?;
        self.sum.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Empties it.
    pub(super) fn restart(&mut self) -> Result<(), DataError> {
        self.file.set_len(0).map_err(|error| self.io("empty", error))?;
        self.file.seek(SeekFrom::Start(0)).map_err(|error| self.io("empty", error))?;
        self.len = 0;
        self.resumed_from = 0;
        self.sum = self.checksum.start();
        Ok(())
    }

    /// Makes it the file `path`: synced, renamed, the folder synced. A crash at any moment leaves
    /// either the part file or the whole file.
    pub(super) fn commit(self, path: &Path) -> Result<(), DataError> {
        self.file.sync_all().map_err(|error| self.io("sync", error))?;
        fs::rename(&self.path, path).map_err(|error| DataError::io(path, "rename to", error))?;
        if let Some(folder) = path.parent() {
            sync_folder(folder);
        }
        Ok(())
    }

    /// Removes it.
    pub(super) fn discard(self) -> Result<(), DataError> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(()),
            // The process that has fetched the file has renamed it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.io("remove", error)),
        }
    }

    /// Keeps what can be resumed; an empty file is removed.
    pub(super) fn close_after_error(self) {
        if self.len == 0 {
            // The download's own error is what the caller must hear about.
            let _ = self.discard();
        }
    }

    fn io(&self, action: &'static str, error: std::io::Error) -> DataError {
        DataError::io(&self.path, action, error)
    }
}

/// Two processes must not write one file: false while another one does. The lock goes with the process, so a crash
/// leaves none.
fn lock(file: &File, path: &Path) -> Result<bool, DataError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // A file system without locks: the checksum still finds a file written by two.
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(DataError::io(path, "lock", error)),
    }
}

/// Whether the file still lies at `path`: whoever had the lock may have renamed or removed it just before.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(file), Ok(there)) => identity(file) == identity(there),
        _ => false,
    }
}

/// An open file cannot be renamed or removed there.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

/// Makes a rename last through a power failure, where the system can do that for folders.
fn sync_folder(folder: &Path) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // Without it the rename is only late, not wrong: the part file would be found and resumed.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
