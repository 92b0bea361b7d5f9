//! Copies of files and folders.

use std::fs;
use std::path::Path;

use firebrick_storage::{commit_folder, copy_folder, copy_start, verify_folder, write_atomic};
use tempfile::tempdir;

use super::{names, refused};

fn committed(parent: &Path) -> std::path::PathBuf {
    commit_folder(parent, "step-1", |draft| write_atomic(&draft.join("model.bpk"), b"weights")).unwrap()
}

#[test]
fn a_copied_folder_is_the_same_without_what_the_system_put_beside() {
    let parent = tempdir().unwrap();
    let from = committed(parent.path());
    for name in [".DS_Store", "._model.bpk", ".nfs0000002a", "Thumbs.db", "desktop.ini"] {
        fs::write(from.join(name), "of the system").unwrap();
    }
    let to = parent.path().join("other");
    fs::create_dir(&to).unwrap();
    let copy = copy_folder(&from, &to, "step-1").unwrap();
    assert_eq!(verify_folder(&copy).unwrap(), verify_folder(&from).unwrap());
    assert_eq!(names(&copy), ["MANIFEST.json", "model.bpk"]);
    assert_eq!(fs::read(copy.join("MANIFEST.json")).unwrap(), fs::read(from.join("MANIFEST.json")).unwrap());
}

#[test]
fn a_damaged_folder_is_not_copied() {
    let parent = tempdir().unwrap();
    let from = committed(parent.path());
    fs::write(from.join("model.bpk"), "weightz").unwrap();
    let to = parent.path().join("other");
    fs::create_dir(&to).unwrap();
    refused(copy_folder(&from, &to, "step-1"), &["model.bpk", "sha256"]);
    assert!(names(&to).is_empty());
}

#[test]
fn the_start_of_a_file_is_copied_whole_or_not_at_all() {
    let parent = tempdir().unwrap();
    let (from, to) = (parent.path().join("from"), parent.path().join("to"));
    fs::write(&from, "one\ntwo\nthree").unwrap();
    copy_start(&from, 8, &to).unwrap();
    assert_eq!(fs::read_to_string(&to).unwrap(), "one\ntwo\n");
    refused(copy_start(&from, 80, &to), &["from", "80 bytes", "got 13"]);
    assert_eq!(fs::read_to_string(&to).unwrap(), "one\ntwo\n");
    copy_start(&parent.path().join("nowhere"), 0, &to).unwrap();
    assert_eq!(fs::read_to_string(&to).unwrap(), "");
    assert_eq!(names(parent.path()), ["from", "to"]);
}
