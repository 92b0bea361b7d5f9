//! Folders that count only as a whole.

use std::fs;
use std::path::{Path, PathBuf};

use firebrick_storage::{
    MANIFEST_FILE, StorageError, commit_folder, create_folders, remove_folder, remove_leftovers,
    verify_folder, write_atomic,
};
use proptest::prelude::*;
use tempfile::tempdir;

use super::{names, refused};

/// A committed folder of two files, one of them in an inner folder.
fn committed(parent: &Path) -> PathBuf {
    commit_folder(parent, "step-1", |draft| {
        write_atomic(&draft.join("model.bpk"), b"weights")?;
        fs::create_dir(draft.join("inner")).unwrap();
        write_atomic(&draft.join("inner/state.json"), b"{}")
    })
    .unwrap()
}

#[test]
fn a_committed_folder_verifies() {
    let parent = tempdir().unwrap();
    let folder = committed(parent.path());
    assert_eq!(folder, parent.path().join("step-1"));
    assert_eq!(names(parent.path()), ["step-1"]);
    let manifest = verify_folder(&folder).unwrap();
    let files: Vec<(&str, u64)> =
        manifest.files.iter().map(|(name, entry)| (name.as_str(), entry.bytes)).collect();
    assert_eq!(files, [("inner/state.json", 2), ("model.bpk", 7)]);
}

#[test]
fn a_failed_commit_leaves_nothing() {
    let parent = tempdir().unwrap();
    let result = commit_folder(parent.path(), "step-1", |draft| {
        write_atomic(&draft.join("model.bpk"), b"weights")?;
        Err(StorageError::contents(draft, "the device ran out of memory"))
    });
    refused(result, &["the device ran out of memory"]);
    assert!(names(parent.path()).is_empty());
}

#[test]
fn a_failed_commit_leaves_the_folder_it_would_have_replaced() {
    let parent = tempdir().unwrap();
    let folder = committed(parent.path());
    let result = commit_folder(parent.path(), "step-1", |draft| Err(StorageError::contents(draft, "no")));
    refused(result, &["no"]);
    assert!(verify_folder(&folder).unwrap().files.contains_key("model.bpk"));
}

#[test]
fn a_commit_replaces_a_folder_of_the_same_name() {
    let parent = tempdir().unwrap();
    committed(parent.path());
    let folder =
        commit_folder(parent.path(), "step-1", |draft| write_atomic(&draft.join("new"), b"n")).unwrap();
    let manifest = verify_folder(&folder).unwrap();
    assert_eq!(manifest.files.keys().collect::<Vec<_>>(), ["new"]);
    assert_eq!(names(parent.path()), ["step-1"]);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let parent = tempdir().unwrap();
    for name in ["", ".", "..", "a/b", "/a", "../a", "a/", ".hidden", "a\\b"] {
        let result = commit_folder(parent.path(), name, |_| Ok(()));
        refused(result, &["plain file name", &format!("`{name}`")]);
    }
    assert!(names(parent.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn links_and_a_manifest_of_ones_own_are_refused() {
    let parent = tempdir().unwrap();
    let result = commit_folder(parent.path(), "a", |draft| {
        std::os::unix::fs::symlink("/etc/passwd", draft.join("link")).unwrap();
        Ok(())
    });
    refused(result, &["link", "a file or folder"]);
    let result = commit_folder(parent.path(), "a", |draft| write_atomic(&draft.join(MANIFEST_FILE), b"{}"));
    refused(result, &[MANIFEST_FILE, "no file of this name"]);
    assert!(names(parent.path()).is_empty());
}

/// What may happen to a folder after it was committed, and what the message then names.
type Damage = (fn(&Path), &'static [&'static str]);

#[test]
fn every_damage_is_found_and_named() {
    let damages: [Damage; 10] = [
        (|folder| fs::write(folder.join("model.bpk"), "weightz").unwrap(), &["model.bpk", "sha256"]),
        (|folder| fs::write(folder.join("model.bpk"), "weight").unwrap(), &["7 bytes", "got 6 bytes"]),
        (|folder| fs::write(folder.join("model.bpk"), "weights!").unwrap(), &["got 8 bytes"]),
        (|folder| fs::remove_file(folder.join("model.bpk")).unwrap(), &["model.bpk", "no such file"]),
        (|folder| fs::write(folder.join("inner/x"), "").unwrap(), &["inner/x", "this one too"]),
        (|folder| fs::remove_file(folder.join(MANIFEST_FILE)).unwrap(), &["never finished"]),
        (|folder| fs::write(folder.join(MANIFEST_FILE), "").unwrap(), &["EOF"]),
        (|folder| fs::write(folder.join(MANIFEST_FILE), "{\"format_version\":1}").unwrap(), &["`files`"]),
        (
            |folder| {
                let text = "{\"format_version\":2,\"files\":{}}";
                fs::write(folder.join(MANIFEST_FILE), text).unwrap();
            },
            &["format version 1", "format version 2"],
        ),
        (
            |folder| {
                let text = "{\"format_version\":1,\"files\":{\"../x\":{\"bytes\":0,\"sha256\":\"\"}}}";
                fs::write(folder.join(MANIFEST_FILE), text).unwrap();
            },
            &["../x", "no such file"],
        ),
    ];
    for (damage, parts) in damages {
        let parent = tempdir().unwrap();
        let folder = committed(parent.path());
        damage(&folder);
        refused(verify_folder(&folder), parts);
    }
    refused(verify_folder(Path::new("/nowhere")), &["/nowhere"]);
}

#[test]
fn leftovers_of_a_crash_are_removed_and_nothing_else() {
    let parent = tempdir().unwrap();
    committed(parent.path());
    fs::create_dir(parent.path().join(".step-2.tmp-abcd1234")).unwrap();
    fs::write(parent.path().join(".step-2.tmp-abcd1234/model.bpk"), "half").unwrap();
    fs::write(parent.path().join(".LATEST.tmp-abcd1234"), "half").unwrap();
    fs::write(parent.path().join(".lock"), "").unwrap();
    assert_eq!(remove_leftovers(parent.path(), |_| true).unwrap(), 2);
    assert_eq!(names(parent.path()), [".lock", "step-1"]);
}

#[test]
fn a_folder_moved_aside_by_a_crash_is_put_back() {
    let parent = tempdir().unwrap();
    let folder = committed(parent.path());
    let aside = parent.path().join(".step-1.tmp-abcd1234");
    fs::create_dir(&aside).unwrap();
    fs::rename(&folder, aside.join("step-1")).unwrap();
    remove_leftovers(parent.path(), |_| true).unwrap();
    verify_folder(&folder).unwrap();
    assert_eq!(names(parent.path()), ["step-1"]);
}

#[test]
fn folders_are_made_with_those_above_them() {
    let parent = tempdir().unwrap();
    let folder = parent.path().join("runs/one/checkpoints");
    create_folders(&folder).unwrap();
    create_folders(&folder).unwrap();
    assert!(folder.is_dir());
    fs::write(parent.path().join("file"), "").unwrap();
    refused(create_folders(&parent.path().join("file/inner")), &["file", "create the folder"]);
}

#[test]
fn a_removed_folder_is_gone_with_everything_in_it() {
    let parent = tempdir().unwrap();
    remove_folder(&committed(parent.path())).unwrap();
    assert!(names(parent.path()).is_empty());
    refused(remove_folder(&parent.path().join("step-9")), &["step-9", "remove"]);
}

/// A crash of another process left the very name that is tried first.
#[test]
fn a_leftover_never_stands_in_the_way() {
    let parent = tempdir().unwrap();
    for number in 0..200 {
        let name = format!(".step-1.tmp-{}-{number}", std::process::id());
        fs::create_dir(parent.path().join(&name)).unwrap();
        fs::write(parent.path().join(name).join("model.bpk"), "half").unwrap();
    }
    let folder = committed(parent.path());
    verify_folder(&folder).unwrap();
    remove_folder(&folder).unwrap();
    assert_eq!(remove_leftovers(parent.path(), |_| true).unwrap(), 200);
}

proptest! {
    // Every case flushes files to the disk.
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is written is found unchanged, and any single changed byte is noticed.
    #[test]
    fn any_changed_byte_is_noticed(bytes in prop::collection::vec(any::<u8>(), 1..300), place in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let parent = tempdir().unwrap();
        let folder = commit_folder(parent.path(), "a", |draft| write_atomic(&draft.join("x"), &bytes)).unwrap();
        prop_assert!(verify_folder(&folder).is_ok());
        let mut changed = bytes.clone();
        changed[place.index(bytes.len())] ^= flip;
        fs::write(folder.join("x"), changed).unwrap();
        prop_assert!(verify_folder(&folder).is_err());
    }
}
