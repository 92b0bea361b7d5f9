//! Files of strangers, never more of them than was allowed.

use std::fs;
use std::io::Write;
use std::path::Path;

use firebrick_storage::{
    StorageError, gunzip_bounded, gunzip_prefix, gunzip_slice_bounded, read_bounded, read_prefix,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::tempdir;

use super::refused;

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_file_is_read_up_to_the_limit_and_not_past_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, [7; 100]).unwrap();
    assert_eq!(read_bounded(&path, 100).unwrap(), [7; 100]);
    let error = refused(read_bounded(&path, 99), &["at most 99 bytes", "got 100 bytes"]);
    assert!(matches!(error, StorageError::TooLong { .. }));
    assert_eq!(read_prefix(&path, 3).unwrap(), (vec![7; 3], 100));
    assert_eq!(read_prefix(&path, 300).unwrap(), (vec![7; 100], 100));
}

#[test]
fn what_is_not_a_file_is_not_read() {
    let folder = tempdir().unwrap();
    refused(read_bounded(folder.path(), 10), &["it is a folder"]);
    refused(read_bounded(&folder.path().join("x"), 10), &["x: cannot read"]);
    #[cfg(unix)]
    refused(read_bounded(Path::new("/dev/zero"), 10), &["/dev/zero", "not a regular file"]);
}

#[test]
fn a_huge_file_of_holes_is_refused_before_it_is_read() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("huge");
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    refused(read_bounded(&path, 1 << 30), &["got 1099511627776 bytes"]);
}

#[test]
fn gzip_is_unpacked_up_to_the_limit_and_not_past_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("file.gz");
    fs::write(&path, gzip(&[7; 100])).unwrap();
    assert_eq!(gunzip_bounded(&path, 100).unwrap(), [7; 100]);
    refused(gunzip_bounded(&path, 99), &["at most 99 bytes", "more once unpacked"]);
    assert_eq!(gunzip_prefix(&path, 3).unwrap(), [7; 3]);
    let two = [gzip(b"one"), gzip(b"two")].concat();
    assert_eq!(gunzip_slice_bounded(&path, &two, 6).unwrap(), b"onetwo");
}

#[test]
fn a_gzip_bomb_is_refused() {
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1 << 17, "{}", bomb.len());
    refused(gunzip_slice_bounded(Path::new("bomb.gz"), &bomb, 1 << 20), &["bomb.gz", "1048576 bytes"]);
}

#[test]
fn damaged_gzip_is_refused() {
    let whole = gzip(b"some contents that are long enough to be damaged");
    let mut wrong_sum = whole.clone();
    let place = whole.len() - 6;
    wrong_sum[place] ^= 1;
    let cases = [
        ("empty", Vec::new()),
        ("cut", whole[..whole.len() - 1].to_vec()),
        ("half", whole[..whole.len() / 2].to_vec()),
        ("tail", [&whole[..], b"tail"].concat()),
        ("other", b"these bytes are not gzip".to_vec()),
        ("sum", wrong_sum),
    ];
    for (name, bytes) in cases {
        let result = gunzip_slice_bounded(Path::new(name), &bytes, 1000);
        if name == "empty" {
            // An empty file holds no gzip stream at all.
            refused(result, &[name]);
            continue;
        }
        let error = refused(result, &[name, "a whole gzip file"]);
        assert!(matches!(error, StorageError::Gzip { .. }), "{name}");
    }
}
