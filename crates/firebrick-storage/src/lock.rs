//! One writer for a run folder.

use std::env;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, PoisonError};

use crate::StorageError;
use crate::identity::{Identity, is_at};

/// The file in a run folder that its writer holds locked.
pub const LOCK_FILE: &str = ".lock";

/// The right to write into a run folder, held until it is dropped or the process ends in any way:
/// the system itself releases the lock, so that a killed run never blocks the next one.
#[derive(Debug)]
pub struct RunLock {
    run_dir: PathBuf,
    folder: Identity,
    file: Mutex<File>,
}

impl RunLock {
    /// Locks `run_dir/.lock`, creating the file but not the folder, and writes the owner into it.
    ///
    /// # Failure
    /// May leave an empty or outdated `.lock` file, which locks nothing.
    ///
    /// # Errors
    /// [`StorageError::Locked`] names the process that holds it, [`StorageError::Io`] when the
    /// file cannot be made or the file system knows no locks.
    pub fn acquire(run_dir: &Path) -> Result<Self, StorageError> {
        let file = Mutex::new(lock_file_of(run_dir)?);
        let folder =
            Identity::of(run_dir).map_err(|error| StorageError::io(run_dir, "open the folder", error))?;
        Ok(Self { file, run_dir: run_dir.to_path_buf(), folder })
    }

    /// Whether the folder is still the one that was locked. A lock file that somebody has removed is made and locked
    /// again.
    ///
    /// # Errors
    /// [`StorageError::Replaced`] when the folder was removed, moved, or another one lies in its place;
    /// otherwise as [`Self::acquire`].
    pub fn check(&self) -> Result<(), StorageError> {
        if !self.folder.is_at(&self.run_dir) {
            return Err(StorageError::Replaced { path: self.run_dir.clone() });
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_at(&file, &self.run_dir.join(LOCK_FILE)) {
            *file = lock_file_of(&self.run_dir)?;
        }
        Ok(())
    }
}

impl Drop for RunLock {
    /// Empties the file and leaves it: deleting it could take the lock of the next owner away.
    fn drop(&mut self) {
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Nothing can be done about a failure here, and closing the file releases the lock anyway.
        let _ = file.set_len(0);
        let _ = file.unlock();
    }
}

/// The lock file of a run, locked by this process, which is named in it.
fn lock_file_of(run_dir: &Path) -> Result<File, StorageError> {
    let fail = |action| move |error| StorageError::io(run_dir, action, error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false) // it may be somebody else's until the lock is ours
        .open(run_dir.join(LOCK_FILE))
        .map_err(fail("create a lock file in"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(StorageError::Locked { path: run_dir.to_path_buf(), owner: owner_of(&mut file) });
        }
        Err(TryLockError::Error(error)) => return Err(fail("lock")(error)),
    }
    file.set_len(0).map_err(fail("write the lock file of"))?;
    writeln!(file, "pid {} on {}", process::id(), host_name()).map_err(fail("write the lock file of"))?;
    Ok(file)
}

/// What the holder wrote into its lock file.
fn owner_of(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(256).read_to_string(&mut text));
    match (read, text.trim()) {
        (Ok(_), owner) if !owner.is_empty() => owner.to_owned(),
        _ => "another process".to_owned(),
    }
}

/// The machine's name, because a folder may be shared between machines.
fn host_name() -> String {
    let from_file = |path: &str| fs::read_to_string(path).ok();
    let from_environment = |name: &str| env::var(name).ok();
    from_file("/proc/sys/kernel/hostname")
        .or_else(|| from_file("/etc/hostname"))
        .or_else(|| from_environment("HOSTNAME"))
        .or_else(|| from_environment("COMPUTERNAME"))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this machine".to_owned())
}
