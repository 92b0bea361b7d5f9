//! IDX files that are not what their headers say.

use std::fs;
use std::path::Path;

use tempfile::{TempDir, tempdir};

use crate::support::{config, gzip, idx_images, idx_labels, idx_pixels, refused, write_mnist};

/// A tiny MNIST in which the plain or gzipped `name` holds `bytes`.
fn with(name: &str, gzipped: bool, bytes: &[u8]) -> TempDir {
    let root = tempdir().unwrap();
    write_mnist(root.path(), gzipped);
    let name = if gzipped { format!("{name}.gz") } else { name.to_owned() };
    fs::write(root.path().join(name), bytes).unwrap();
    root
}

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";

/// The same wrong contents, plain and gzipped, give the same complaint.
fn refused_both(name: &str, bytes: &[u8], parts: &[&str]) {
    refused(&config("mnist", with(name, false, bytes).path()), parts);
    refused(&config("mnist", with(name, true, &gzip(bytes)).path()), parts);
}

#[test]
fn wrong_magic_number() {
    let mut bytes = idx_images(20, 2, 3, &idx_pixels(20));
    bytes[2] = 0x0d; // 32-bit floats
    refused_both(IMAGES, &bytes, &[IMAGES, "byte 0", "0x00000803", "got 0x00000d03"]);
}

#[test]
fn labels_in_place_of_images() {
    let parts = [IMAGES, "byte 0", "images (magic number 0x00000803)", "got labels"];
    refused_both(IMAGES, &idx_labels(&[1; 20]), &parts);
    let bytes = idx_images(20, 2, 3, &idx_pixels(20));
    refused_both(LABELS, &bytes, &[LABELS, "labels (magic number 0x00000801)", "got images"]);
}

#[test]
fn one_byte_short_or_long() {
    let mut bytes = idx_images(20, 2, 3, &idx_pixels(20));
    bytes.push(0);
    refused_both(IMAGES, &bytes, &[IMAGES, "byte 136", "136 bytes, as the header says", "more"]);
    bytes.truncate(135);
    refused_both(IMAGES, &bytes, &[IMAGES, "byte 135", "136 bytes", "135 bytes", "cut short"]);
}

#[test]
fn a_header_that_promises_too_much() {
    let bytes = idx_images(1 << 20, 1 << 10, 1 << 10, &[0; 100]);
    refused_both(IMAGES, &bytes, &[IMAGES, "1024 MiB in all at most", "1048576 x 1024 x 1024"]);
    let bytes = idx_images(u32::MAX, u32::MAX, u32::MAX, &[0; 100]);
    refused_both(IMAGES, &bytes, &["4294967295 x 4294967295 x 4294967295"]);
    // Within the limit, but not in the file: must not be allocated on a header's word.
    let bytes = idx_images(1 << 20, 28, 28, &[0; 100]);
    refused_both(IMAGES, &bytes, &["822083600 bytes, as the header says", "116 bytes"]);
}

#[test]
fn no_images_or_no_pixels() {
    refused_both(IMAGES, &idx_images(0, 28, 28, &[]), &["1 or more images", "0 x 28 x 28"]);
    refused_both(IMAGES, &idx_images(20, 0, 3, &[]), &["1 to 4096 pixels a side", "20 x 0 x 3"]);
    refused_both(IMAGES, &idx_images(1, 1, 5000, &[0; 5000]), &["1 x 1 x 5000"]);
}

#[test]
fn a_header_cut_short() {
    refused_both(IMAGES, &[0, 0, 8, 3, 0, 0], &["header", "16 bytes", "6 bytes"]);
    refused_both(IMAGES, &[0, 0], &["magic number", "the end of the file"]);
    refused(&config("mnist", with(IMAGES, false, &[]).path()), &["the end of the file"]);
}

#[test]
fn fewer_labels_than_images() {
    let parts = [LABELS, "20 labels", IMAGES, "got 19", "do not belong together"];
    refused_both(LABELS, &idx_labels(&[1; 19]), &parts);
}

#[test]
fn label_10() {
    let mut labels = [9; 20];
    labels[17] = 10;
    refused_both(LABELS, &idx_labels(&labels), &[LABELS, "record 17", "0 to 9", "got 10"]);
}

#[test]
fn gzip_cut_short_damaged_or_followed_by_something() {
    let whole = gzip(&idx_images(20, 2, 3, &idx_pixels(20)));
    let refused_gz = |bytes: &[u8]| {
        let root = with(IMAGES, true, bytes);
        refused(&config("mnist", root.path()), &["train-images-idx3-ubyte.gz", "gzip"]);
    };
    refused_gz(&whole[..whole.len() - 1]);
    refused_gz(&whole[..whole.len() / 2]);
    refused_gz(&whole[..5]);
    refused_gz(&[&whole[..], b"trailing"].concat());
    refused_gz(b"not gzip at all, but long enough to be");
    let mut damaged = whole.clone();
    let place = damaged.len() - 6; // in the checksum
    damaged[place] ^= 1;
    refused_gz(&damaged);
}

#[test]
fn missing_files_are_named() {
    let root = tempdir().unwrap();
    let parts = [IMAGES, LABELS, "MNIST/raw", "data.download = true", "data.train_split = \"test[:8000]\""];
    refused(&config("mnist", root.path()), &parts);
    write_mnist(root.path(), false);
    fs::remove_file(root.path().join(LABELS)).unwrap();
    let error = refused(&config("mnist", root.path()), &[LABELS]).to_string();
    assert!(!error.contains(IMAGES), "{error}");
    refused(&config("mnist", Path::new("/nowhere")), &["/nowhere", "does not exist"]);
}
