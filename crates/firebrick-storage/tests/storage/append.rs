//! A file that only grows, and is cut to what a checkpoint recorded.

use std::fs;

use firebrick_storage::{AppendFile, separate_from_links, write_new};
use tempfile::tempdir;

use super::refused;

#[test]
fn what_was_appended_is_there_and_counted() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut file = AppendFile::open(&path, 0).unwrap();
    file.append(b"one\n").unwrap();
    file.append(b"two\n").unwrap();
    file.try_clone().unwrap().sync().unwrap();
    assert_eq!(file.bytes(), 8);
    assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
}

#[test]
fn lines_after_the_recorded_length_go_and_the_next_ones_follow() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    fs::write(&path, "one\ntwo\nthr").unwrap();
    let mut file = AppendFile::open(&path, 4).unwrap();
    file.append(b"2\n").unwrap();
    assert_eq!((file.bytes(), fs::read(&path).unwrap()), (6, b"one\n2\n".to_vec()));
}

#[test]
fn a_file_that_lost_lines_is_refused_and_left_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    refused(AppendFile::open(&path, 9), &["metrics.jsonl", "at least 9 bytes", "got 0"]);
    fs::write(&path, "one\n").unwrap();
    refused(AppendFile::open(&path, 9), &["at least 9 bytes", "got 4"]);
    assert_eq!(fs::read(&path).unwrap(), b"one\n");
}

#[test]
fn a_new_file_replaces_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("model.bpk");
    write_new(&path, b"weights").unwrap();
    refused(write_new(&path, b"others"), &["model.bpk", "create"]);
    assert_eq!(fs::read(&path).unwrap(), b"weights");
}

/// A backup made of hard links (`cp -al`) must not change when the run goes on.
#[cfg(unix)]
#[test]
fn a_file_with_another_name_goes_on_as_a_file_of_its_own() {
    for recorded in [0, 4, 8] {
        let folder = tempdir().unwrap();
        let (path, backup) = (folder.path().join("metrics.jsonl"), folder.path().join("backup.jsonl"));
        fs::write(&path, "one\ntwo\n").unwrap();
        fs::hard_link(&path, &backup).unwrap();
        separate_from_links(&path).unwrap();
        let mut file = AppendFile::open(&path, recorded).unwrap();
        file.append(b"new\n").unwrap();
        let kept = &b"one\ntwo\n"[..recorded as usize];
        assert_eq!(fs::read(&path).unwrap(), [kept, b"new\n"].concat());
        assert_eq!(fs::read(&backup).unwrap(), b"one\ntwo\n");
        file.check().unwrap();
        file.check_alone().unwrap();
    }
}

#[test]
fn lines_of_somebody_else_are_noticed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("metrics.jsonl");
    let mut file = AppendFile::open(&path, 0).unwrap();
    file.append(b"one\n").unwrap();
    file.check_alone().unwrap();
    fs::write(&path, "one\n# mine\n").unwrap();
    refused(file.check_alone(), &["metrics.jsonl", "4 bytes", "got 11", "--resume"]);
}
