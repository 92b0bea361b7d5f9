//! Image folders that cannot be trained on; each message names the file or folder.

use std::fs;

use firebrick_data::{HoldOut, InputShape, Limit, load_image_file, open};
use tempfile::{TempDir, tempdir};

use crate::support::{config, refused, write_image_folder};

fn changed(change: impl FnOnce(&std::path::Path)) -> TempDir {
    let root = tempdir().unwrap();
    write_image_folder(root.path());
    change(root.path());
    root
}

#[test]
fn no_train_folder() {
    let root = changed(|root| fs::remove_dir_all(root.join("train")).unwrap());
    refused(&config("image_folder", root.path()), &["train/<class>/*", "make these folders"]);
    let root = tempdir().unwrap();
    refused(&config("image_folder", root.path()), &["train/<class>/*", "two classes or more"]);
    fs::create_dir(root.path().join("cat")).unwrap();
    refused(&config("image_folder", root.path()), &["two classes or more"]);
}

#[test]
fn nothing_to_test_on() {
    let root = changed(|root| fs::remove_dir_all(root.join("test")).unwrap());
    let expected = ["data.validation", "a part of the 4 training samples", "no test split"];
    refused(&config("image_folder", root.path()), &expected);
    let mut config = config("image_folder", root.path());
    config.validation = Some(HoldOut::Fraction(0.5));
    config.limit = Some(Limit { test: Some(1), ..Limit::default() });
    refused(&config, &["data.limit.test", "which `validation` makes"]);
}

/// Is `train` a class among others, or a split?
#[test]
fn a_train_folder_beside_a_class() {
    let root = changed(|root| fs::rename(root.join("test"), root.join("bird")).unwrap());
    refused(&config("image_folder", root.path()), &["bird", "if `train` is a class among others"]);
}

/// Nobody can tell which is meant, with a test folder or without.
#[test]
fn two_validation_folders() {
    for (one, other) in [("val", "valid"), ("Valid", "validation"), ("VAL", "Validation")] {
        for has_test in [true, false] {
            let root = changed(|root| {
                let test = root.join("test");
                for name in [one, other] {
                    for class in ["cat", "dog"] {
                        fs::create_dir_all(root.join(name).join(class)).unwrap();
                        fs::copy(test.join(class).join("a.png"), root.join(name).join(class).join("a.png"))
                            .unwrap();
                    }
                }
                if !has_test {
                    fs::remove_dir_all(test).unwrap();
                }
            });
            let expected = ["folders: expected one folder of validation images", one, other];
            refused(&config("image_folder", root.path()), &expected);
        }
    }
}

#[test]
fn no_classes() {
    let root = changed(|root| {
        fs::remove_dir_all(root.join("train")).unwrap();
        fs::create_dir(root.join("train")).unwrap();
    });
    refused(&config("image_folder", root.path()), &["train: folder: expected one folder a class"]);
}

#[test]
fn an_empty_class_folder() {
    let root = changed(|root| {
        for split in ["train", "test"] {
            fs::create_dir(root.join(split).join("bird")).unwrap();
        }
    });
    refused(&config("image_folder", root.path()), &["train/bird", "at least one image", "none"]);
}

#[test]
fn classes_that_differ() {
    let root = changed(|root| fs::rename(root.join("test/dog"), root.join("test/god")).unwrap());
    refused(&config("image_folder", root.path()), &["test: classes", "no folder `dog`"]);
    let root = changed(|root| fs::create_dir(root.join("test/bird")).unwrap());
    refused(&config("image_folder", root.path()), &["test: classes", "a folder `bird` more"]);
}

#[test]
fn a_text_file_named_png() {
    let root = changed(|root| fs::write(root.join("train/cat/c.png"), "hello").unwrap());
    refused(&config("image_folder", root.path()), &["train/cat/c.png", "a PNG, JPEG"]);
}

#[test]
fn a_file_that_is_no_image() {
    let root = changed(|root| fs::write(root.join("test/dog/notes.txt"), "hello").unwrap());
    refused(&config("image_folder", root.path()), &["test/dog/notes.txt", "a PNG, JPEG"]);
    let root = changed(|root| fs::write(root.join("train/cat/empty.png"), "").unwrap());
    refused(&config("image_folder", root.path()), &["train/cat/empty.png"]);
}

#[test]
fn a_file_beside_the_class_folders() {
    let root =
        changed(|root| fs::copy(root.join("train/cat/a.png"), root.join("train/a.png")).map(drop).unwrap());
    refused(&config("image_folder", root.path()), &["train/a.png", "one folder a class"]);
}

#[test]
fn an_image_cut_short_is_found_when_it_is_decoded() {
    let root = changed(|root| {
        let path = root.join("train/cat/a.png");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
    });
    let input = InputShape { channels: 3, height: 4, width: 4 };
    let datasets = open(&config("image_folder", root.path()), input, 0, &()).unwrap();
    let message = datasets.train.get(0, 0).unwrap_err().to_string();
    assert!(message.contains("train/cat/a.png"), "{message}");
}

#[test]
fn an_image_that_promises_to_be_huge() {
    // A valid PNG header of 2^31 - 1 by 2^31 - 1 pixels, and nothing else.
    let header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\0\0\0";
    let checksum = {
        let mut crc = flate2::Crc::new();
        crc.update(&header[12..]);
        crc.sum().to_be_bytes()
    };
    let bytes = [header.as_slice(), &checksum].concat();
    let root = changed(|root| fs::write(root.join("train/cat/huge.png"), bytes).unwrap());
    refused(&config("image_folder", root.path()), &["train/cat/huge.png"]);
    load_image_file(&root.path().join("train/cat/huge.png")).unwrap_err();
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_a_circle_or_nowhere() {
    use std::os::unix::fs::symlink;
    let root = changed(|root| symlink("..", root.join("train/cat/again")).unwrap());
    refused(&config("image_folder", root.path()), &["again", "a way back to", "remove the link"]);
    let root = changed(|root| symlink("gone.png", root.join("train/cat/c.png")).unwrap());
    refused(&config("image_folder", root.path()), &["train/cat/c.png"]);
    let root = changed(|root| symlink("self", root.join("train/cat/self")).unwrap());
    refused(&config("image_folder", root.path()), &["train/cat/self"]);
}

#[cfg(unix)]
#[test]
fn a_link_to_images_elsewhere_is_followed() {
    let root = changed(|root| {
        fs::rename(root.join("train/cat"), root.join("cats")).unwrap();
        std::os::unix::fs::symlink("../cats", root.join("train/cat")).unwrap();
    });
    let input = InputShape { channels: 3, height: 4, width: 4 };
    assert_eq!(open(&config("image_folder", root.path()), input, 0, &()).unwrap().train.len(), 4);
}

#[test]
fn a_missing_image_file() {
    let message = load_image_file("/nowhere/x.png".as_ref()).unwrap_err().to_string();
    assert!(message.contains("/nowhere/x.png"), "{message}");
}
