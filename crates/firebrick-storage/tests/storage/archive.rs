//! Archives of strangers, read in place.

use std::fs;
use std::path::PathBuf;

use firebrick_storage::{ArchiveLimits, ArchiveMember, StorageError, read_tar_gz};
use tar::{Builder, EntryType, Header};
use tempfile::{TempDir, tempdir};

use super::bounded::gzip;
use super::{names, refused};

const LIMITS: ArchiveLimits =
    ArchiveLimits { max_entries: 20, max_member_bytes: 1000, max_total_bytes: 1 << 20 };

struct Archive {
    folder: TempDir,
    path: PathBuf,
}

impl Archive {
    fn of(bytes: &[u8]) -> Self {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a.tar.gz");
        fs::write(&path, bytes).unwrap();
        Self { folder, path }
    }

    fn read(&self, want: &str) -> Result<Vec<ArchiveMember>, StorageError> {
        let mut members = Vec::new();
        let result = read_tar_gz(
            &self.path,
            LIMITS,
            |name| name.contains(want),
            |member| {
                members.push(member);
                Ok(())
            },
        );
        assert_eq!(names(self.folder.path()), ["a.tar.gz"], "nothing is unpacked to disk");
        result.map(|()| members)
    }
}

/// A tar of (name, kind, contents), past the checks of `tar::Builder`.
fn tar_of(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, contents) in entries {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(contents.len() as u64);
        header.set_cksum();
        builder.append(&header, *contents).unwrap();
    }
    builder.into_inner().unwrap()
}

fn one(name: &str, kind: EntryType, contents: &[u8]) -> Archive {
    Archive::of(&gzip(&tar_of(&[(name, kind, contents)])))
}

#[test]
fn wanted_members_come_in_order_and_others_are_skipped() {
    let entries: [(&str, EntryType, &[u8]); 5] = [
        ("./data/", EntryType::Directory, b""),
        ("./data/b.bin", EntryType::Regular, b"bb"),
        ("data/skip.txt", EntryType::Regular, b"s"),
        ("data/a.bin", EntryType::Regular, b""),
        ("data/link", EntryType::Symlink, b""),
    ];
    let members = Archive::of(&gzip(&tar_of(&entries))).read(".bin").unwrap();
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|member| (member.name.as_str(), member.bytes.as_slice())).collect();
    assert_eq!(members, [("data/b.bin", &b"bb"[..]), ("data/a.bin", b"")]);
}

#[test]
fn extension_headers_are_skipped() {
    let entries: [(&str, EntryType, &[u8]); 3] = [
        ("pax_global_header", EntryType::XGlobalHeader, b"19 comment=whatever"),
        ("PaxHeaders/a.bin", EntryType::XHeader, b"27 mtime=1700000000.123456\n"),
        ("a.bin", EntryType::Regular, b"a"),
    ];
    assert_eq!(Archive::of(&gzip(&tar_of(&entries))).read("a.bin").unwrap().len(), 1);
}

#[test]
fn names_that_lead_out_are_refused_even_when_nobody_wants_them() {
    for name in ["/etc/passwd", "../x", "a/../../x", "a\\..\\x"] {
        let archive = one(name, EntryType::Regular, b"x");
        refused(archive.read("nothing"), &["entry 1", "a relative name without `..`"]);
    }
}

#[test]
fn links_and_devices_in_place_of_files_are_refused() {
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
        refused(one("a.bin", kind, b"").read("a.bin"), &["a.bin", "a regular file"]);
    }
}

#[test]
fn members_given_twice_too_large_or_too_many_are_refused() {
    let file: (&str, EntryType, &[u8]) = ("a.bin", EntryType::Regular, b"a");
    refused(Archive::of(&gzip(&tar_of(&[file, file]))).read("a.bin"), &["a.bin", "a second one"]);
    let large = one("a.bin", EntryType::Regular, &[0; 1001]);
    refused(large.read("a.bin"), &["at most 1000 bytes", "1001 bytes"]);
    refused(Archive::of(&gzip(&tar_of(&[file; 21]))).read("x"), &["entry 21", "at most 20 entries"]);
}

#[test]
fn a_bomb_is_refused() {
    let bomb = one("big", EntryType::Regular, &vec![0; 2 << 20]);
    let error = refused(bomb.read("a.bin"), &["at most 1048576 bytes", "more once unpacked"]);
    assert!(matches!(error, StorageError::TooLong { .. }));
    let mut padded = tar_of(&[("a.bin", EntryType::Regular, b"a")]);
    padded.resize(2 << 20, 0);
    refused(Archive::of(&gzip(&padded)).read("a.bin"), &["more once unpacked"]);
}

#[test]
fn a_size_that_the_archive_does_not_hold_is_refused() {
    let mut tar = tar_of(&[("a.bin", EntryType::Regular, &[1; 900])]);
    tar.truncate(512 + 100);
    refused(Archive::of(&gzip(&tar)).read("a.bin"), &["a.bin", "900 bytes", "100 bytes"]);
}

#[test]
fn damage_anywhere_is_refused() {
    let whole = gzip(&tar_of(&[("a.bin", EntryType::Regular, &[1; 900])]));
    for length in [0, 5, whole.len() / 2, whole.len() - 1] {
        refused(Archive::of(&whole[..length]).read("a.bin"), &["a.tar.gz", "fetch the archive again"]);
    }
    refused(Archive::of(&[&whole[..], b"more"].concat()).read("a.bin"), &["a whole tar.gz archive"]);
    refused(Archive::of(b"<html>not found</html>").read("a.bin"), &["a whole tar.gz archive"]);
    refused(Archive::of(&gzip(&[9; 600])).read("a.bin"), &["entry 1", "a whole tar.gz archive"]);
}

#[test]
fn the_visitors_error_comes_through() {
    let archive = one("a.bin", EntryType::Regular, b"a");
    let result: Result<(), StorageError> = read_tar_gz(
        &archive.path,
        LIMITS,
        |_| true,
        |member| Err(StorageError::contents(member.name.as_ref(), "unwelcome")),
    );
    refused(result, &["unwelcome"]);
}
