//! CIFAR files that are not what they should be: refused with the file, the place, what was expected,
//! what was found and how to mend it, and nothing is left behind.

use std::fs;
use std::path::Path;

use firebrick_data::{DataError, Progress, open};
use tempfile::{TempDir, tempdir};

use crate::support::{
    CIFAR_SHAPE, cifar_pickle, cifar_pixels, config, gzip, pack, py2_array, py2_dict, py2_list, refused,
    write_cifar_binary, write_cifar_pickle,
};

/// A tiny binary CIFAR-10 after `change`.
fn binary(change: impl FnOnce(&Path)) -> TempDir {
    let root = tempdir().unwrap();
    change(&write_cifar_binary(root.path(), 2));
    root
}

/// A tiny pickled CIFAR-10 whose second training file holds `bytes`.
fn pickled(bytes: &[u8]) -> TempDir {
    let root = tempdir().unwrap();
    let folder = write_cifar_pickle(root.path(), 2);
    fs::write(folder.join("data_batch_2"), bytes).unwrap();
    root
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn no_such_root() {
    let config = config("cifar10", Path::new("/nowhere/at/all"));
    refused(
        &config,
        &["/nowhere/at/all", "cifar-10-batches-bin", "cifar-10-python.tar.gz", "does not exist"],
    );
}

#[test]
fn an_empty_root() {
    let root = tempdir().unwrap();
    refused(&config("cifar10", root.path()), &["looked for", "data.download = true"]);
    refused(&config("cifar100", root.path()), &["cifar-100-binary", "cifar-100-python.tar.gz"]);
}

#[test]
fn a_root_that_is_a_file() {
    let root = tempdir().unwrap();
    let file = root.path().join("cifar-10-binary.tar.gz");
    fs::write(&file, "").unwrap();
    refused(&config("cifar10", &file), &["cifar-10-binary.tar.gz", "a file and not a folder"]);
}

#[test]
fn one_byte_short() {
    let root = binary(|folder| edit(&folder.join("data_batch_3.bin"), |bytes| bytes.truncate(6145)));
    let parts = ["data_batch_3.bin", "record 1, byte 3073", "3073 bytes", "3072 bytes", "fetch it again"];
    refused(&config("cifar10", root.path()), &parts);
}

#[test]
fn one_byte_long() {
    let root = binary(|folder| edit(&folder.join("test_batch.bin"), |bytes| bytes.push(0)));
    let parts = ["test_batch.bin", "record 2, byte 6146", "1 bytes (6147 in the file)"];
    refused(&config("cifar10", root.path()), &parts);
}

#[test]
fn an_empty_file() {
    let root = binary(|folder| fs::write(folder.join("data_batch_1.bin"), "").unwrap());
    refused(&config("cifar10", root.path()), &["data_batch_1.bin", "record 0", "0 bytes"]);
}

#[test]
fn label_10() {
    let root = binary(|folder| edit(&folder.join("data_batch_5.bin"), |bytes| bytes[3073] = 10));
    refused(&config("cifar10", root.path()), &["data_batch_5.bin", "record 1", "0 to 9", "got 10"]);
}

#[test]
fn fine_label_100() {
    let root = tempdir().unwrap();
    let folder = root.path().join("cifar-100-binary");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("train.bin"), [vec![1, 100], vec![0; 3072]].concat()).unwrap();
    fs::write(folder.join("test.bin"), [vec![1, 99], vec![0; 3072]].concat()).unwrap();
    refused(&config("cifar100", root.path()), &["train.bin", "record 0", "0 to 99", "got 100"]);
}

#[test]
fn a_missing_file() {
    let root = binary(|folder| fs::remove_file(folder.join("data_batch_4.bin")).unwrap());
    let parts = ["cifar-10-batches-bin: data_batch_4.bin", "no such file", "fetch the data set again"];
    refused(&config("cifar10", root.path()), &parts);
}

#[test]
fn a_folder_in_place_of_a_file() {
    let root = binary(|folder| {
        fs::remove_file(folder.join("test_batch.bin")).unwrap();
        fs::create_dir(folder.join("test_batch.bin")).unwrap();
    });
    refused(&config("cifar10", root.path()), &["test_batch.bin", "it is a folder"]);
}

#[test]
fn nine_class_names() {
    let root = binary(|folder| fs::write(folder.join("batches.meta.txt"), "a\n".repeat(9)).unwrap());
    refused(&config("cifar10", root.path()), &["batches.meta.txt", "10 names", "got 9"]);
}

#[test]
fn class_names_that_are_not_text() {
    let root = binary(|folder| fs::write(folder.join("batches.meta.txt"), b"a\nb\xff").unwrap());
    refused(&config("cifar10", root.path()), &["batches.meta.txt", "byte 3", "text"]);
}

#[test]
fn not_a_pickle() {
    let root = pickled(b"<html>404</html>");
    refused(&config("cifar10", root.path()), &["data_batch_2", "pickle, byte 0", "opcode 0x3c `<`"]);
}

#[test]
fn a_pickle_that_would_run_a_command() {
    let root = pickled(b"\x80\x02cos\nsystem\nU\x08touch /x\x85R.");
    refused(&config("cifar10", root.path()), &["byte 2", "nothing is executed", "`os.system`"]);
}

#[test]
fn a_pickle_cut_short() {
    let mut bytes = cifar_pickle(&[1, 2], 2, &[cifar_pixels(1), cifar_pixels(2)].concat());
    bytes.truncate(bytes.len() - 100);
    refused(&config("cifar10", pickled(&bytes).path()), &["data_batch_2", "6144 more bytes", "cut short"]);
}

#[test]
fn a_pickle_that_promises_four_gigabytes() {
    let root = pickled(b"\x80\x02}(U\x04dataT\xff\xff\xff\xffabc");
    refused(&config("cifar10", root.path()), &["4294967295 more bytes", "3: it is cut short"]);
    let root = pickled(b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc");
    refused(&config("cifar10", root.path()), &["3: it is cut short"]);
}

#[test]
fn a_pickle_with_something_after_its_end() {
    let mut bytes = cifar_pickle(&[1, 2], 2, &[cifar_pixels(1), cifar_pixels(2)].concat());
    bytes.push(b'.');
    refused(&config("cifar10", pickled(&bytes).path()), &["no bytes after the end", "1 more"]);
}

#[test]
fn a_pickle_without_data() {
    let root = pickled(&py2_dict(&[("labels", py2_list(&[1, 2]))]));
    refused(&config("cifar10", root.path()), &["the key `data`", "the keys `labels`"]);
}

#[test]
fn a_pickle_with_other_labels_than_rows() {
    let pixels = [cifar_pixels(1), cifar_pixels(2)].concat();
    refused(&config("cifar10", pickled(&cifar_pickle(&[1], 2, &pixels)).path()), &["2 `labels`", "got 1"]);
    let root = pickled(&cifar_pickle(&[1, 10], 2, &pixels));
    refused(&config("cifar10", root.path()), &["data_batch_2", "record 1", "0 to 9", "got 10"]);
}

#[test]
fn a_pickle_whose_array_is_shorter_than_its_shape() {
    let root = pickled(&cifar_pickle(&[1, 2], 2, &cifar_pixels(1)));
    refused(&config("cifar10", root.path()), &["2 x 3072 bytes", "3072 bytes"]);
}

#[test]
fn a_pickle_whose_data_is_no_array() {
    let pairs = [("labels", py2_list(&[1, 2])), ("data", py2_list(&[1, 2]))];
    refused(&config("cifar10", pickled(&py2_dict(&pairs)).path()), &["a numpy array", "a list"]);
    let pairs = [("labels", py2_array(1, &cifar_pixels(0))), ("data", py2_array(1, &cifar_pixels(0)))];
    refused(&config("cifar10", pickled(&py2_dict(&pairs)).path()), &["a list", "a numpy array"]);
}

/// A tiny binary CIFAR-10 as an archive after `change`.
fn packed(change: impl FnOnce(&mut Vec<u8>)) -> TempDir {
    let root = tempdir().unwrap();
    let archive = pack(&write_cifar_binary(root.path(), 2), "cifar-10-binary.tar.gz");
    edit(&archive, change);
    root
}

/// An archive of one entry whose name is written past the checks of `tar`.
fn archive_of(name: &str, kind: tar::EntryType, contents: &[u8]) -> TempDir {
    let root = tempdir().unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(contents.len() as u64);
    header.set_entry_type(kind);
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, contents).unwrap();
    let bytes = gzip(&builder.into_inner().unwrap());
    fs::write(root.path().join("cifar-10-binary.tar.gz"), bytes).unwrap();
    root
}

#[test]
fn an_archive_cut_short() {
    let root = packed(|bytes| bytes.truncate(bytes.len() / 2));
    refused(&config("cifar10", root.path()), &["cifar-10-binary.tar.gz", "a whole tar.gz archive", "fetch"]);
    let root = packed(|bytes| bytes.truncate(bytes.len() - 1));
    refused(&config("cifar10", root.path()), &["cifar-10-binary.tar.gz", "a whole tar.gz archive"]);
}

#[test]
fn an_archive_with_a_flipped_bit() {
    let root = packed(|bytes| {
        let place = bytes.len() - 6; // in the checksum
        bytes[place] ^= 1;
    });
    refused(&config("cifar10", root.path()), &["cifar-10-binary.tar.gz", "a whole tar.gz archive"]);
}

#[test]
fn an_archive_with_something_after_its_end() {
    let root = packed(|bytes| bytes.extend_from_slice(b"and more"));
    refused(&config("cifar10", root.path()), &["cifar-10-binary.tar.gz", "a whole tar.gz archive"]);
}

#[test]
fn an_archive_that_is_not_one() {
    let root = packed(|bytes| *bytes = b"<html>404</html>".to_vec());
    refused(&config("cifar10", root.path()), &["cifar-10-binary.tar.gz", "gzip"]);
    let root = packed(|bytes| *bytes = gzip(&[7; 2000]));
    refused(&config("cifar10", root.path()), &["cifar-10-binary.tar.gz", "entry 1"]);
}

#[test]
fn an_archive_that_leads_out_of_itself() {
    for name in ["../../etc/passwd", "/etc/passwd", "a/../../b"] {
        let root = archive_of(name, tar::EntryType::Regular, b"x");
        refused(&config("cifar10", root.path()), &["entry 1", "a relative name without `..`", name]);
    }
}

#[test]
fn an_archive_without_a_file() {
    let root = archive_of("cifar-10-batches-bin/readme.html", tar::EntryType::Regular, b"x");
    let parts = ["data_batch_1.bin", "no such file in the archive's folder cifar-10-batches-bin"];
    refused(&config("cifar10", root.path()), &parts);
}

#[test]
fn an_archive_with_a_link_in_place_of_a_file() {
    let root = archive_of("cifar-10-batches-bin/test_batch.bin", tar::EntryType::Symlink, b"");
    refused(&config("cifar10", root.path()), &["test_batch.bin", "a regular file", "Symlink"]);
}

#[test]
fn an_archive_whose_header_promises_a_terabyte() {
    let root = tempdir().unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_path("cifar-10-batches-bin/test_batch.bin").unwrap();
    header.set_size(1 << 40);
    header.set_cksum();
    let archive = root.path().join("cifar-10-binary.tar.gz");
    fs::write(archive, gzip(header.as_bytes())).unwrap();
    refused(&config("cifar10", root.path()), &["test_batch.bin", "at most 268435456 bytes", "1099511627776"]);
}

#[test]
fn the_messages_hold_for_files_in_archives() {
    let root = tempdir().unwrap();
    let folder = write_cifar_binary(root.path(), 2);
    edit(&folder.join("data_batch_5.bin"), |bytes| bytes[0] = 77);
    pack(&folder, "cifar-10-binary.tar.gz");
    let parts = ["cifar-10-binary.tar.gz: cifar-10-batches-bin/data_batch_5.bin", "got 77"];
    refused(&config("cifar10", root.path()), &parts);
}

struct Impatient;

impl Progress for Impatient {
    fn stage(&self, _message: &str, _total: Option<u64>) {}
    fn advance(&self, _delta: u64) {}
    fn is_cancelled(&self) -> bool {
        true
    }
}

#[test]
fn reading_can_be_stopped() {
    let root = binary(|_| {});
    let Err(error) = open(&config("cifar10", root.path()), CIFAR_SHAPE, 0, &Impatient) else {
        panic!("not stopped");
    };
    assert!(matches!(error, DataError::Cancelled { .. }), "{error}");
}
