//! `data.on_bad_image`: what is left of a folder with damaged images in it.

use std::fs;
use std::path::Path;

use firebrick_data::{DataConfig, HoldOut, InputShape, OnBadImage, open};
use tempfile::{TempDir, tempdir};

use crate::support::{config, refused, source};

const INPUT: InputShape = InputShape { channels: 3, height: 4, width: 4 };

/// `train/{cat,dog}` with ten images each, `test/{cat,dog}` with two; the names in `cut` lose their end.
fn folder(cut: &[&str]) -> TempDir {
    let root = tempdir().unwrap();
    for (split, count) in [("train", 10_u8), ("test", 2)] {
        for (class, shade) in [("cat", 0), ("dog", 100)] {
            let folder = root.path().join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            for number in 0..count {
                let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([shade + number, 0, 0]));
                picture.save(folder.join(format!("{number}.png"))).unwrap();
            }
        }
    }
    for name in cut {
        damage(&root.path().join(name));
    }
    root
}

fn damage(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() - 20]).unwrap();
}

fn skipping(root: &Path) -> DataConfig {
    let mut config = config("image_folder", root);
    config.on_bad_image = OnBadImage::Skip;
    config
}

#[test]
fn damaged_images_are_left_out_of_everything() {
    let cut = ["train/cat/3.png", "train/dog/0.png", "train/dog/9.png", "test/cat/1.png"];
    let root = folder(&cut);
    let datasets = open(&skipping(root.path()), INPUT, 0, &()).unwrap();
    let info = &datasets.info;
    assert_eq!((info.train_count, info.test_count, info.skipped.count), (17, 3, 4));
    let notice = info.skipped_notice().unwrap();
    assert!(
        notice.starts_with("left out 4 of 24 images that cannot be read:\n  train/cat/3.png: expected"),
        "{notice}"
    );
    let labels: Vec<u32> = (0..17).map(|index| datasets.train.get(0, index).unwrap().1).collect();
    assert_eq!(labels.iter().filter(|label| **label == 0).count(), 9);
    // The data set is the one without these files, down to its fingerprint.
    let whole = folder(&[]);
    for name in cut {
        fs::remove_file(whole.path().join(name)).unwrap();
    }
    let plain = open(&config("image_folder", whole.path()), INPUT, 0, &()).unwrap();
    assert_eq!(plain.info.fingerprint, info.fingerprint);
    assert!(plain.info.skipped_notice().is_none());
    for index in 0..17 {
        assert_eq!(plain.train.get(0, index).unwrap(), datasets.train.get(0, index).unwrap());
    }
}

#[test]
fn the_validation_split_is_drawn_from_what_is_left() {
    let root = folder(&["train/cat/3.png", "train/cat/4.png"]);
    let mut config = skipping(root.path());
    config.validation = Some(toml::Value::Float(0.5).try_into::<HoldOut>().unwrap());
    let datasets = open(&config, INPUT, 0, &()).unwrap();
    let validation = datasets.validation.unwrap();
    let labels: Vec<u32> = (0..validation.len()).map(|index| validation.get(0, index).unwrap().1).collect();
    let count = |label: u32| labels.iter().filter(|other| **other == label).count();
    assert_eq!((validation.len(), count(0), count(1)), (9, 4, 5));
}

#[test]
fn ten_are_named_and_the_rest_counted() {
    let names: Vec<String> =
        (0..9).flat_map(|n| [format!("train/cat/{n}.png"), format!("train/dog/{n}.png")]).collect();
    let root = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let info = open(&skipping(root.path()), INPUT, 0, &()).unwrap().info;
    assert_eq!((info.skipped.count, info.skipped.first.len()), (18, 10));
    let notice = info.skipped_notice().unwrap();
    assert!(notice.ends_with("\n  and 8 more"), "{notice}");
    assert_eq!(notice.lines().count(), 12);
}

#[test]
fn many_files_keep_their_order() {
    let root = folder(&[]);
    let class = root.path().join("train/cat");
    let original = fs::read(class.join("1.png")).unwrap();
    for number in 0..600 {
        let length = if number % 7 == 0 { 40 } else { original.len() };
        fs::write(class.join(format!("more_{number:03}.png")), &original[..length]).unwrap();
    }
    let skipped = source(&skipping(root.path()));
    assert_eq!(skipped.skipped.count, 86);
    assert_eq!(skipped.train.unwrap().len(), 20 + 600 - 86);
    assert!(skipped.skipped.first[1].starts_with("train/cat/more_007.png: "), "{:?}", skipped.skipped.first);
}

#[test]
fn a_class_of_which_nothing_is_left_is_an_error() {
    let root = folder(&["test/dog/0.png", "test/dog/1.png"]);
    refused(&skipping(root.path()), &["test/dog", "at least one image that can be read", "none"]);
}

#[test]
fn stopping_is_the_default_and_offers_the_switch() {
    let root = folder(&["train/cat/3.png"]);
    let datasets = open(&config("image_folder", root.path()), INPUT, 0, &()).unwrap();
    let message = datasets.train.get(0, 3).unwrap_err().to_string();
    assert!(message.contains("train/cat/3.png"), "{message}");
    assert!(message.contains("data.on_bad_image = \"skip\""), "{message}");
    fs::write(root.path().join("train/dog/4.png"), "no image").unwrap();
    refused(&config("image_folder", root.path()), &["train/dog/4.png", "data.on_bad_image = \"skip\""]);
}

#[test]
fn a_file_that_breaks_later_stops() {
    let root = folder(&[]);
    let datasets = open(&skipping(root.path()), INPUT, 0, &()).unwrap();
    damage(&root.path().join("train/cat/0.png"));
    let message = datasets.train.get(0, 0).unwrap_err().to_string();
    assert!(message.contains("it could be read when the data set was opened"), "{message}");
}

#[test]
fn data_sets_without_image_files_refuse_to_skip() {
    let mut config = config("digits", Path::new("nowhere"));
    config.on_bad_image = OnBadImage::Skip;
    let error = refused(&config, &["data.on_bad_image", "`digits` does not lie in image files"]);
    assert!(error.is_config());
}

#[cfg(unix)]
#[test]
fn a_disk_that_does_not_answer_is_no_damaged_image() {
    let root = folder(&[]);
    std::os::unix::fs::symlink("gone.png", root.path().join("train/cat/link.png")).unwrap();
    refused(&skipping(root.path()), &["train/cat/link.png"]);
}
