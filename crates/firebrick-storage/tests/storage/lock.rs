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

#[cfg(unix)]
#[test]
fn a_folder_that_was_replaced_is_not_the_one_that_was_locked() {
    let parent = tempdir().unwrap();
    let (folder, moved) = (parent.path().join("run"), parent.path().join("moved"));
    std::fs::create_dir(&folder).unwrap();
    let lock = RunLock::acquire(&folder).unwrap();
    lock.check().unwrap();
    std::fs::remove_file(folder.join(firebrick_storage::LOCK_FILE)).unwrap();
    lock.check().unwrap();
    refused(RunLock::acquire(&folder), &["in use by"]);
    std::fs::rename(&folder, &moved).unwrap();
    refused(lock.check(), &["run: was removed, moved or replaced"]);
    std::fs::create_dir(&folder).unwrap();
    refused(lock.check(), &["run: was removed, moved or replaced"]);
    std::fs::remove_dir(&folder).unwrap();
    std::fs::rename(&moved, &folder).unwrap();
    lock.check().unwrap();
}

#[cfg(unix)]
#[test]
fn a_lock_file_that_another_process_has_made_again_is_that_ones() {
    let folder = tempdir().unwrap();
    let first = RunLock::acquire(folder.path()).unwrap();
    std::fs::remove_file(folder.path().join(firebrick_storage::LOCK_FILE)).unwrap();
    let _second = RunLock::acquire(folder.path()).unwrap();
    refused(first.check(), &["in use by"]);
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
