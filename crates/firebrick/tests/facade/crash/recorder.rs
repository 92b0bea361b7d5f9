//! Hears the operations of this process, and keeps those below a folder.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once};

use firebrick_storage::operation::{Operation, observe};

/// An [`Operation`] that outlives the call.
#[derive(Debug, Clone)]
pub enum Change {
    CreateFile(PathBuf),
    Append(PathBuf, Vec<u8>),
    Truncate(PathBuf, u64),
    SyncFile(PathBuf),
    CreateFolder(PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncFolder(PathBuf),
}

/// The operations below one folder since this value was made.
#[derive(Clone)]
pub struct Recorder {
    folder: PathBuf,
    changes: Arc<Mutex<Vec<Change>>>,
}

static RECORDERS: Mutex<Vec<Recorder>> = Mutex::new(Vec::new());

impl Recorder {
    pub fn start(folder: &Path) -> Self {
        static OBSERVE: Once = Once::new();
        OBSERVE.call_once(|| {
            assert!(observe(Box::new(|operation| {
                RECORDERS.lock().unwrap().iter().for_each(|recorder| recorder.hear(operation));
                Ok(())
            })))
        });
        let recorder = Self { folder: folder.to_owned(), changes: Arc::default() };
        RECORDERS.lock().unwrap().push(recorder.clone());
        recorder
    }

    /// How many operations were heard so far.
    pub fn count(&self) -> usize {
        self.changes.lock().unwrap().len()
    }

    /// Everything heard, with paths relative to the folder.
    pub fn stop(self) -> Vec<Change> {
        RECORDERS.lock().unwrap().retain(|other| !Arc::ptr_eq(&other.changes, &self.changes));
        let mut changes = self.changes.lock().unwrap();
        std::mem::take(&mut *changes)
    }

    fn hear(&self, operation: Operation<'_>) {
        let inside = |path: &Path| path.strip_prefix(&self.folder).ok().map(Path::to_owned);
        let change = match operation {
            Operation::CreateFile(path) => inside(path).map(Change::CreateFile),
            Operation::Append(path, bytes) => inside(path).map(|path| Change::Append(path, bytes.to_vec())),
            Operation::Truncate(path, bytes) => inside(path).map(|path| Change::Truncate(path, bytes)),
            Operation::SyncFile(path) => inside(path).map(Change::SyncFile),
            Operation::CreateFolder(path) => inside(path).map(Change::CreateFolder),
            Operation::Rename(from, to) => {
                inside(from).zip(inside(to)).map(|(from, to)| Change::Rename(from, to))
            }
            Operation::RemoveFile(path) | Operation::RemoveFolder(path) => inside(path).map(Change::Remove),
            Operation::SyncFolder(path) => inside(path).map(Change::SyncFolder),
        };
        self.changes.lock().unwrap().extend(change);
    }
}
