//! Every change to the disk that this crate makes, one function each.
//!
//! A test can watch them, refuse one, or end the process at the Nth ([`observe`]); nothing else is
//! here, so that nothing changes the disk unseen.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;

/// One change to the disk that is about to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation<'a> {
    /// Makes an empty file where nothing is.
    CreateFile(&'a Path),
    /// Adds bytes to the end of a file.
    Append(&'a Path, &'a [u8]),
    /// Cuts a file to a length in bytes.
    Truncate(&'a Path, u64),
    /// Flushes a file's contents to the disk.
    SyncFile(&'a Path),
    /// Makes an empty folder where nothing is.
    CreateFolder(&'a Path),
    /// Moves a file or folder, over the file that may be there.
    Rename(&'a Path, &'a Path),
    /// Removes a file.
    RemoveFile(&'a Path),
    /// Removes an empty folder.
    RemoveFolder(&'a Path),
    /// Flushes the names in a folder to the disk.
    SyncFolder(&'a Path),
}

/// Hears each operation before it is made; an error is returned in the operation's place.
pub type Observer = Box<dyn Fn(Operation<'_>) -> io::Result<()> + Send + Sync>;

static OBSERVER: OnceLock<Observer> = OnceLock::new();

/// Lets a test hear every operation of this process from now on; false if somebody already does.
pub fn observe(observer: Observer) -> bool {
    OBSERVER.set(observer).is_ok()
}

fn announce(operation: Operation<'_>) -> io::Result<()> {
    OBSERVER.get().map_or(Ok(()), |observer| observer(operation))
}

pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    announce(Operation::CreateFile(path))?;
    OpenOptions::new().append(true).create_new(true).open(path)
}

/// `file` was opened to append, by [`create_file`] or otherwise.
pub(crate) fn append(mut file: &File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    announce(Operation::Append(path, bytes))?;
    file.write_all(bytes)
}

pub(crate) fn truncate(file: &File, path: &Path, bytes: u64) -> io::Result<()> {
    announce(Operation::Truncate(path, bytes))?;
    file.set_len(bytes)
}

pub(crate) fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    announce(Operation::SyncFile(path))?;
    file.sync_all()
}

pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    announce(Operation::CreateFolder(path))?;
    fs::create_dir(path)
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    announce(Operation::Rename(from, to))?;
    fs::rename(from, to)
}

/// Removes a file, or a folder with everything in it; links are removed, not followed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        announce(Operation::RemoveFile(path))?;
        return fs::remove_file(path);
    }
    for entry in fs::read_dir(path)? {
        remove(&entry?.path())?;
    }
    announce(Operation::RemoveFolder(path))?;
    fs::remove_dir(path)
}

/// Makes the names in a folder survive a power cut. Windows cannot flush a folder and needs not.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    announce(Operation::SyncFolder(path))?;
    if cfg!(windows) { Ok(()) } else { File::open(path)?.sync_all() }
}
