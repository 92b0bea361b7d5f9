//! Ends a run of this process at one of its operations on the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once};

use firebrick_storage::operation::{Operation, observe};

/// The operations of one run. From the one that ends it on, every other fails as well, so that the disk stays as a
/// killed process leaves it.
struct Watched {
    folder: PathBuf,
    done: u64,
    /// How many are made.
    limit: u64,
}

static WATCHED: Mutex<Option<Watched>> = Mutex::new(None);

/// Watches the operations below `folder`, and lets `limit` of them happen.
pub(crate) fn watch(folder: &Path, limit: u64) {
    static OBSERVE: Once = Once::new();
    OBSERVE.call_once(|| {
        let is_first = observe(Box::new(hear));
        assert!(is_first, "somebody watches the operations of this process already");
    });
    *watched() = Some(Watched { folder: folder.to_owned(), done: 0, limit });
}

/// Watches nothing any more; gives how many operations were made or tried.
pub(crate) fn watched_so_far() -> u64 {
    watched().take().map_or(0, |watched| watched.done)
}

fn watched() -> MutexGuard<'static, Option<Watched>> {
    // A test that panicked leaves numbers that are as good as any.
    WATCHED.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn hear(operation: Operation<'_>) -> io::Result<()> {
    let mut guard = watched();
    match &mut *guard {
        Some(watched) if path(operation).starts_with(&watched.folder) => {
            watched.done += 1;
            match watched.done > watched.limit {
                true => Err(io::Error::other("the run was ended here")),
                false => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn path<'a>(operation: Operation<'a>) -> &'a Path {
    match operation {
        Operation::CreateFile(path)
        | Operation::Append(path, _)
        | Operation::Truncate(path, _)
        | Operation::SyncFile(path)
        | Operation::CreateFolder(path)
        | Operation::Rename(path, _)
        | Operation::RemoveFile(path)
        | Operation::RemoveFolder(path)
        | Operation::SyncFolder(path) => path,
    }
}
