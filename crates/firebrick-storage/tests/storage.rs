//! Files that survive a crash, and files of strangers.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "storage/append.rs"]
mod append;
#[path = "storage/archive.rs"]
mod archive;
#[path = "storage/bounded.rs"]
mod bounded;
#[path = "storage/copy.rs"]
mod copy;
#[path = "storage/folder.rs"]
mod folder;
#[path = "storage/lock.rs"]
mod lock;
#[path = "storage/operation.rs"]
mod operation;

use std::fs;
use std::path::Path;

use firebrick_storage::{Sha256Hasher, StorageError, available_bytes, sha256_file, sha256_hex, write_atomic};
use tempfile::tempdir;

/// Fails unless the result is an error whose message has every one of `parts`.
#[track_caller]
fn refused<T>(result: Result<T, StorageError>, parts: &[&str]) -> StorageError {
    let Err(error) = result else { panic!("accepted, expected a message with {parts:?}") };
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
    error
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn an_atomic_write_creates_and_replaces() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("LATEST");
    write_atomic(&path, b"one").unwrap();
    write_atomic(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(names(folder.path()), ["LATEST"]);
}

#[test]
fn an_atomic_write_that_fails_leaves_the_old_contents_and_no_temporary_file() {
    let folder = tempdir().unwrap();
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("inside"), "kept").unwrap();
    refused(write_atomic(&taken, b"bytes"), &["taken", "rename into place"]);
    assert_eq!(names(folder.path()), ["taken"]);
    assert_eq!(fs::read(taken.join("inside")).unwrap(), b"kept");
    refused(write_atomic(&folder.path().join("no/such/file"), b""), &["no/such/file"]);
    refused(write_atomic(Path::new("/"), b""), &["plain file name"]);
}

#[cfg(unix)]
#[test]
fn an_atomic_write_gives_the_usual_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let (ours, usual) = (folder.path().join("ours"), folder.path().join("usual"));
    write_atomic(&ours, b"x").unwrap();
    fs::write(&usual, b"x").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&usual));
}

#[test]
fn hashes_are_the_published_ones() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256_hex(b""), empty);
    assert_eq!(sha256_hex(b"abc"), abc);
    let folder = tempdir().unwrap();
    let path = folder.path().join("abc");
    fs::write(&path, "abc").unwrap();
    assert_eq!(sha256_file(&path).unwrap(), (3, abc.to_owned()));
    let mut pieces = Sha256Hasher::new();
    pieces.update(b"a");
    pieces.update(b"bc");
    assert_eq!(pieces.finish(), abc);
}

#[test]
fn fields_that_are_cut_differently_hash_differently() {
    let hash = |fields: &[(&str, &str)]| {
        let mut hasher = Sha256Hasher::new();
        fields.iter().for_each(|(name, value)| hasher.field(name, value.as_bytes()));
        hasher.finish()
    };
    assert_ne!(hash(&[("a", "bc")]), hash(&[("ab", "c")]));
    assert_ne!(hash(&[("a", ""), ("b", "")]), hash(&[("a", "b")]));
}

#[test]
fn a_disk_says_how_much_room_it_has() {
    let folder = tempdir().unwrap();
    assert!(available_bytes(folder.path()).unwrap() > 0);
    refused(available_bytes(Path::new("/no/such/folder")), &["/no/such/folder", "free space"]);
}

/// The one device that is always full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_with_path_bytes_and_what_is_left() {
    let full = Path::new("/dev/full");
    let mut file = firebrick_storage::AppendFile::open(full, 0).unwrap();
    refused(file.append(b"seven b"), &["/dev/full", "7 bytes", "available", "No space left", "make room"]);
}
