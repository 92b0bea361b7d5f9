//! One writer for a run folder, also between processes.

use std::env;
use std::path::Path;
use std::process::{Command, id};

use firebrick_storage::{RunLock, StorageError};
use tempfile::tempdir;

use super::refused;

/// Names a run folder to the process that `lock_from_another_process` starts.
const FOLDER_VARIABLE: &str = "FIREBRICK_TEST_LOCK_FOLDER";

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let folder = tempdir().unwrap();
    let lock = RunLock::acquire(folder.path()).unwrap();
    let error = refused(RunLock::acquire(folder.path()), &[&format!("pid {} on ", id())]);
    assert!(matches!(error, StorageError::Locked { .. }));
    drop(lock);
    RunLock::acquire(folder.path()).unwrap();
}

#[test]
fn a_folder_that_is_not_there_cannot_be_locked() {
    refused(RunLock::acquire(Path::new("/nowhere")), &["/nowhere", "create a lock file"]);
}

/// The other process is this very test, told by a variable what to lock.
#[test]
fn a_lock_holds_against_another_process_and_ends_with_it() {
    if let Some(folder) = env::var_os(FOLDER_VARIABLE) {
        let result = RunLock::acquire(Path::new(&folder));
        std::process::exit(if result.is_ok() { 0 } else { 42 }); // leaves without dropping the lock
    }
    let folder = tempdir().unwrap();
    let in_another_process = || {
        let test = "lock::a_lock_holds_against_another_process_and_ends_with_it";
        Command::new(env::current_exe().unwrap())
            .args(["--exact", test])
            .env(FOLDER_VARIABLE, folder.path())
            .output()
            .unwrap()
            .status
            .code()
    };
    let lock = RunLock::acquire(folder.path()).unwrap();
    assert_eq!(in_another_process(), Some(42));
    drop(lock);
    assert_eq!(in_another_process(), Some(0));
    RunLock::acquire(folder.path()).unwrap();
}
