//! An error at each operation on the disk, and a disk that goes away at each: what is left can be trusted.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Once;

use firebrick_storage::operation::observe;
use firebrick_storage::{
    StorageError, commit_folder, remove_folder, remove_leftovers, verify_folder, write_atomic, write_new,
};
use tempfile::tempdir;

use super::names;

#[derive(Clone, Copy)]
enum Fault {
    /// This operation, counted from 1, fails.
    Once(usize),
    /// This one and all that follow, as if the process had ended.
    Forever(usize),
}

thread_local! {
    /// The fault of the test that runs in this thread, and how many operations it has seen.
    static FAULT: Cell<Option<(Fault, usize)>> = const { Cell::new(None) };
}

fn fail_or_not() -> io::Result<()> {
    let Some((fault, seen)) = FAULT.get() else { return Ok(()) };
    let number = seen + 1;
    FAULT.set(Some((fault, number)));
    match fault {
        Fault::Once(at) if number == at => Err(io::ErrorKind::StorageFull.into()),
        Fault::Forever(at) if number >= at => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    }
}

/// Lets `act` meet every fault in a folder that `prepare` has filled, and `check` what is left after
/// the leftovers are removed.
fn with_every_fault(
    prepare: impl Fn(&Path),
    act: impl Fn(&Path) -> Result<(), StorageError>,
    check: impl Fn(&Path, bool),
) {
    static OBSERVE: Once = Once::new();
    OBSERVE.call_once(|| assert!(observe(Box::new(|_| fail_or_not()))));
    for kind in [Fault::Once, Fault::Forever] {
        for at in 1.. {
            let parent = tempdir().unwrap();
            prepare(parent.path());
            FAULT.set(Some((kind(at), 0)));
            let result = act(parent.path());
            let seen = FAULT.take().map_or(0, |(_, seen)| seen);
            remove_leftovers(parent.path(), |_| true).unwrap();
            check(parent.path(), result.is_ok());
            if seen < at {
                assert!(result.is_ok() && at > 3, "{at} operations");
                break;
            }
        }
    }
}

fn commit(parent: &Path, contents: &str) -> Result<(), StorageError> {
    let write = |draft: &Path| write_new(&draft.join("model.bpk"), contents.as_bytes());
    commit_folder(parent, "step-1", write).map(drop)
}

#[test]
fn a_commit_that_fails_leaves_nothing_or_all() {
    with_every_fault(
        |_| (),
        |parent| commit(parent, "new"),
        |parent, succeeded| {
            let names = names(parent);
            assert!(names.is_empty() && !succeeded || names == ["step-1"]);
            names.iter().for_each(|name| drop(verify_folder(&parent.join(name)).unwrap()));
        },
    );
}

#[test]
fn a_replacement_that_fails_leaves_the_old_folder_or_the_new_one() {
    with_every_fault(
        |parent| commit(parent, "old").unwrap(),
        |parent| commit(parent, "new"),
        |parent, succeeded| {
            assert_eq!(names(parent), ["step-1"]);
            verify_folder(&parent.join("step-1")).unwrap();
            let contents = fs::read_to_string(parent.join("step-1/model.bpk")).unwrap();
            assert!(contents == "new" || contents == "old" && !succeeded, "{contents}");
        },
    );
}

#[test]
fn a_removal_that_fails_leaves_all_or_nothing() {
    with_every_fault(
        |parent| commit(parent, "old").unwrap(),
        |parent| remove_folder(&parent.join("step-1")),
        |parent, succeeded| {
            let names = names(parent);
            assert!(names.is_empty() || names == ["step-1"] && !succeeded);
            names.iter().for_each(|name| drop(verify_folder(&parent.join(name)).unwrap()));
        },
    );
}

#[test]
fn a_file_is_the_old_one_or_the_new_one() {
    with_every_fault(
        |parent| write_atomic(&parent.join("LATEST"), b"old").unwrap(),
        |parent| write_atomic(&parent.join("LATEST"), b"new"),
        |parent, succeeded| {
            assert_eq!(names(parent), ["LATEST"]);
            let contents = fs::read_to_string(parent.join("LATEST")).unwrap();
            assert!(contents == "new" || contents == "old" && !succeeded, "{contents}");
        },
    );
}
