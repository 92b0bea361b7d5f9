//! Damaged and hostile files in every format that archives and tables come in: an error with the file's name, never a panic, nothing
//! written anywhere.

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use firebrick_data::{DataError, open};
use tempfile::{TempDir, tempdir};
use zip::write::SimpleFileOptions;

use crate::same_samples::{config, files, png, write_folder, write_shard, write_zip};
use crate::support::tree;

const INPUT: firebrick_data::InputShape = firebrick_data::InputShape { channels: 3, height: 8, width: 8 };

/// Opens and reads everything. What was wrong, if anything.
fn read_all(dataset: &str, root: &Path) -> Result<usize, DataError> {
    let text = format!("dataset = {dataset}\nvalidation = 0.3");
    let datasets = open(&config(&text, root), INPUT, 0, &())?;
    let splits = [Some(&datasets.train), datasets.validation.as_ref(), Some(&datasets.test)];
    let mut count = 0;
    for split in splits.into_iter().flatten() {
        for index in 0..split.len() {
            split.get(0, index)?;
            count += 1;
        }
    }
    Ok(count)
}

/// The same, with a panic as a failed test, and with nothing left behind.
#[track_caller]
fn attempt(dataset: &str, root: &Path, what: &str) -> Result<usize, String> {
    let before = tree(root);
    let read = catch_unwind(AssertUnwindSafe(|| read_all(dataset, root)));
    let read = read.unwrap_or_else(|_| panic!("{dataset}: panicked at {what}"));
    assert_eq!(before, tree(root), "{dataset}: something was left behind at {what}");
    read.map_err(|error| error.to_string())
}

/// Every cut and many changed bytes of `good`; how many were read as if nothing had happened, of how many.
fn damage(dataset: &str, root: &Path, name: &str, places: Range<usize>, step: usize) -> (usize, usize) {
    let path = root.join(name);
    let good = fs::read(&path).unwrap();
    attempt(dataset, root, "no damage").unwrap();
    let (mut accepted, mut tried) = (0, 0);
    let mut check = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        tried += 1;
        match attempt(dataset, root, what) {
            Ok(_) => accepted += 1,
            Err(message) => {
                let file = path.file_name().unwrap().to_string_lossy();
                assert!(message.contains(&*file) || message.contains("data."), "{what}: {message}");
            }
        }
    };
    for place in places.step_by(step).filter(|place| *place < good.len()) {
        check(&good[..place], &format!("cut at {place}"));
        for value in [good[place] ^ 1, !good[place], 0xff] {
            let mut bytes = good.clone();
            bytes[place] = value;
            check(&bytes, &format!("byte {place} = {value:#x}"));
        }
    }
    check(&[], "nothing");
    check(&vec![0; good.len()], "zeros");
    check(&[&good[..], &good[..]].concat(), "twice");
    fs::write(&path, good).unwrap();
    (accepted, tried)
}

fn copied(folder: &str, name: &str) -> TempDir {
    let root = tempdir().unwrap();
    fs::copy(files().join(folder).join(name), root.path().join(name)).unwrap();
    root
}

#[test]
fn damaged_parquet_files() {
    for folder in ["gzip", "plain", "pages"] {
        let root = copied(folder, "train.parquet");
        let length = fs::metadata(root.path().join("train.parquet")).unwrap().len() as usize;
        let (accepted, tried) = damage("'parquet'", root.path(), "train.parquet", 0..length, 23);
        assert!(tried > 400 && accepted < tried * 3 / 4, "{accepted} of {tried}");
    }
}

#[test]
fn damaged_tar_archives() {
    let root = tempdir().unwrap();
    write_shard(&root.path().join("train.tar"), 0..6, "cls");
    let length = fs::metadata(root.path().join("train.tar")).unwrap().len() as usize;
    let (_, tried) = damage("'webdataset'", root.path(), "train.tar", 0..length, 97);
    assert!(tried > 400, "{tried}");
}

#[test]
fn damaged_zip_archives() {
    let root = tempdir().unwrap();
    write_zip(&root.path().join("photos.zip"), "photos/", SimpleFileOptions::default());
    let length = fs::metadata(root.path().join("photos.zip")).unwrap().len() as usize;
    let dataset = "{ name = 'image_zip', file = 'photos.zip' }";
    // It has a test split of its own.
    let text = format!("dataset = {dataset}");
    assert!(open(&config(&text, root.path()), INPUT, 0, &()).is_ok());
    let flat = tempdir().unwrap();
    let mut writer = zip::ZipWriter::new(fs::File::create(flat.path().join("photos.zip")).unwrap());
    for index in 0..6 {
        writer
            .start_file(format!("{}/{index}.png", ["cat", "dog"][index % 2]), SimpleFileOptions::default())
            .unwrap();
        writer.write_all(&png(index)).unwrap();
    }
    writer.finish().unwrap();
    let (_, tried) = damage(dataset, flat.path(), "photos.zip", 0..length, 7);
    assert!(tried > 400, "{tried}");
}

#[test]
fn damaged_lists() {
    let root = tempdir().unwrap();
    write_folder(root.path());
    for (name, text) in [
        (
            "list.csv",
            "path,label\ntrain/cat/0000.png,cat\n\"train/dog/0001.png\",dog\ntrain/owl/0002.png,cat\ntrain/dog/0004.png,dog\n",
        ),
        (
            "list.jsonl",
            "{\"path\": \"train/cat/0000.png\", \"label\": 0}\n{\"path\": \"train/dog/0001.png\", \"label\": 1}\n{\"path\": \"train/cat/0003.png\", \"label\": 0}\n{\"path\": \"train/dog/0004.png\", \"label\": 1}\n",
        ),
    ] {
        fs::write(root.path().join(name), text).unwrap();
        let dataset = format!("{{ name = 'image_list', list = '{name}' }}");
        let path = root.path().join(name);
        let good = fs::read(&path).unwrap();
        for place in 0..good.len() {
            for value in [good[place] ^ 1, 0, 0xff, b'"', b'\n'] {
                let mut bytes = good.clone();
                bytes[place] = value;
                fs::write(&path, &bytes).unwrap();
                let _ = attempt(&dataset, root.path(), &format!("{name}: byte {place} = {value:#x}"));
            }
            fs::write(&path, &good[..place]).unwrap();
            let _ = attempt(&dataset, root.path(), &format!("{name}: cut at {place}"));
        }
    }
}

/// Names in lists and archives that lead elsewhere.
#[test]
fn nothing_outside_of_the_folder_is_read() {
    let outside = tempdir().unwrap();
    fs::write(outside.path().join("secret.png"), png(0)).unwrap();
    let root = outside.path().join("root");
    fs::create_dir(&root).unwrap();
    let absolute = outside.path().join("secret.png").display().to_string();
    for name in
        ["../secret.png", "a/../../secret.png", &absolute, "/etc/passwd", "C:\\secret.png", "..\\secret.png"]
    {
        let list = format!("path\tlabel\n{name}\tcat\n");
        fs::write(root.join("list.tsv"), list).unwrap();
        let error = attempt("{ name = 'image_list', list = 'list.tsv' }", &root, name).unwrap_err();
        assert!(error.contains("list.tsv: line 2: expected a path below the list's folder"), "{error}");

        let mut writer = zip::ZipWriter::new(fs::File::create(root.join("x.zip")).unwrap());
        for name in ["cat/0.png", "dog/1.png", name] {
            writer.start_file(name, SimpleFileOptions::default()).unwrap();
            writer.write_all(&png(0)).unwrap();
        }
        writer.finish().unwrap();
        let error = attempt("{ name = 'image_zip', file = 'x.zip' }", &root, name).unwrap_err();
        assert!(error.contains("x.zip: entry 3: expected a relative name without `..`"), "{error}");

        let mut header = tar::Header::new_old();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(1);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(&[b'0'; 512]);
        bytes.extend_from_slice(&[0; 1024]);
        fs::create_dir_all(root.join("tars")).unwrap();
        fs::write(root.join("tars/train.tar"), bytes).unwrap();
        let error = attempt("'webdataset'", &root.join("tars"), name).unwrap_err();
        assert!(error.contains("train.tar: entry 1: expected a relative name without `..`"), "{error}");
    }
    for file in ["../x.zip", "/tmp/x.zip", ""] {
        for dataset in [
            format!("{{ name = 'image_zip', file = '{file}' }}"),
            format!("{{ name = 'numpy', file = '{file}' }}"),
        ] {
            let error = attempt(&dataset, &root, file).unwrap_err();
            assert!(error.contains("data.dataset.file"), "{error}");
        }
    }
}

/// Links and devices in archives, passwords, compressions that are not read, and promises of endless lengths.
#[test]
fn hostile_entries() {
    let root = tempdir().unwrap();
    let mut tried = 0;
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Char,
        tar::EntryType::Fifo,
        tar::EntryType::GNUSparse,
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_path("0.png").unwrap();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_cksum();
        fs::write(root.path().join("train.tar"), [header.as_bytes().as_slice(), &[0; 1024]].concat())
            .unwrap();
        let error = attempt("'webdataset'", root.path(), "a link").unwrap_err();
        assert!(error.contains("train.tar: entry 1"), "{error}");
        tried += 1;
    }
    for size in [u64::MAX / 2, 1 << 40, 600] {
        let mut header = tar::Header::new_gnu();
        header.set_path("0.png").unwrap();
        header.set_size(size);
        header.set_cksum();
        fs::write(root.path().join("train.tar"), [header.as_bytes().as_slice(), &[0; 512]].concat()).unwrap();
        let error = attempt("'webdataset'", root.path(), "a size").unwrap_err();
        assert!(error.contains("train.tar"), "{error}");
        tried += 1;
    }
    fs::write(root.path().join("train.tar"), crate::support::gzip(&[0; 2048])).unwrap();
    assert!(attempt("'webdataset'", root.path(), "gzip").unwrap_err().contains("unpack it with gunzip"));
    for message in [("zstd", "compression zstd"), ("text", "a column `label`")] {
        let root = copied(message.0, "train.parquet");
        let error = attempt("'parquet'", root.path(), message.0).unwrap_err();
        assert!(error.contains(message.1) && error.contains("train.parquet"), "{error}");
    }
    // A member of zeros that unpacks to more than an image file may have.
    let mut writer = zip::ZipWriter::new(fs::File::create(root.path().join("x.zip")).unwrap());
    for (name, length) in [("cat/0.png", 300 << 20), ("dog/1.png", 100)] {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..(length >> 20).max(1) {
            writer.write_all(&zeros).unwrap();
        }
    }
    writer.finish().unwrap();
    let error = attempt("{ name = 'image_zip', file = 'x.zip' }", root.path(), "a bomb").unwrap_err();
    assert!(error.contains("cat/0.png") && error.contains("314572800 bytes"), "{error}");
    assert!(tried >= 8);
}

#[test]
fn damaged_arrays_and_matrices() {
    let root = tempdir().unwrap();
    let array = |kind: &str, axes: &str, numbers: &[u8]| {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {axes}, }}\n");
        [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), numbers].concat()
    };
    fs::write(root.path().join("x_train.npy"), array("|u1", "(8, 4, 4)", &[7; 128])).unwrap();
    fs::write(root.path().join("y_train.npy"), array("|u1", "(8,)", &[0, 1, 0, 1, 0, 1, 0, 1])).unwrap();
    for name in ["x_train.npy", "y_train.npy"] {
        let length = fs::metadata(root.path().join(name)).unwrap().len() as usize;
        let (_, tried) = damage("'numpy'", root.path(), name, 0..length, 2);
        assert!(tried > 100, "{tried}");
    }
    let root = tempdir().unwrap();
    for name in ["train_32x32.mat", "test_32x32.mat"] {
        fs::copy(files().join("svhn").join(name), root.path().join(name)).unwrap();
    }
    let path = root.path().join("train_32x32.mat");
    let good = fs::read(&path).unwrap();
    for place in (0..good.len()).step_by(5) {
        for value in [good[place] ^ 1, 0, 0xff] {
            let mut bytes = good.clone();
            bytes[place] = value;
            fs::write(&path, &bytes).unwrap();
            let _ = attempt("'svhn'", root.path(), &format!("byte {place} = {value:#x}"));
        }
        fs::write(&path, &good[..place]).unwrap();
        assert!(attempt("'svhn'", root.path(), &format!("cut at {place}")).is_err());
    }
}
