//! The image folder: order, classes, and every kind of image file as 8-bit RGB or grey.

use std::fs;
use std::path::Path;

use firebrick_data::{HoldOut, Image, InputShape, Limit, load_image_file, open};
use image::{DynamicImage, ImageFormat};
use tempfile::tempdir;

use crate::support::{config, samples, source, write_image_folder};

#[test]
fn samples_are_ordered_by_class_then_by_path() {
    let root = tempdir().unwrap();
    write_image_folder(root.path());
    let nested = root.path().join("train/cat/more");
    fs::create_dir(&nested).unwrap();
    fs::copy(root.path().join("train/dog/a.png"), nested.join("0.png")).unwrap();
    fs::write(root.path().join("train/cat/.DS_Store"), "not an image").unwrap();
    fs::write(root.path().join("train/Thumbs.db"), "not an image").unwrap();
    let source = source(&config("image_folder", root.path()));
    assert_eq!(source.class_names, ["cat", "dog"]);
    let train: Vec<(u32, u8)> =
        samples(&source.train).iter().map(|sample| (sample.label, sample.image.pixels[0])).collect();
    assert_eq!(train, [(0, 10), (0, 11), (0, 200), (1, 200), (1, 201)]);
    assert_eq!(source.shape, Some(InputShape { channels: 3, height: 4, width: 4 }));
}

#[test]
fn val_serves_as_test() {
    let root = tempdir().unwrap();
    write_image_folder(root.path());
    fs::rename(root.path().join("test"), root.path().join("val")).unwrap();
    assert_eq!(samples(&source(&config("image_folder", root.path())).test).len(), 2);
}

#[test]
fn the_folders_names_may_be_spelled_as_people_do() {
    for [train, validation, test] in [
        ["train", "valid", "test"],
        ["Train", "Valid", "Test"],
        ["TRAIN", "Val", "test"],
        ["train", "Validation", "Test"],
    ] {
        let root = tempdir().unwrap();
        write_image_folder(root.path());
        fs::rename(root.path().join("train"), root.path().join(train)).unwrap();
        fs::rename(root.path().join("test"), root.path().join(validation)).unwrap();
        let config = config("image_folder", root.path());
        assert_eq!(
            samples(&source(&config).test).len(),
            2,
            "{validation} is the test split, as there is no other"
        );
        for class in ["cat", "dog"] {
            let to = root.path().join(test).join(class);
            fs::create_dir_all(&to).unwrap();
            fs::copy(root.path().join(validation).join(class).join("a.png"), to.join("b.png")).unwrap();
        }
        let source = source(&config);
        let lengths = [&source.train, &source.validation, &source.test].map(|split| samples(split).len());
        assert_eq!(lengths, [4, 2, 2], "{train} {validation} {test}");
    }
}

/// `photos/<class>/*`, and `train` alone: what is held out is tested on.
#[test]
fn class_folders_without_splits() {
    for is_alone in [true, false] {
        let root = tempdir().unwrap();
        write_image_folder(root.path());
        fs::remove_dir_all(root.path().join("test")).unwrap();
        if !is_alone {
            for class in ["cat", "dog"] {
                fs::rename(root.path().join("train").join(class), root.path().join(class)).unwrap();
            }
            fs::remove_dir(root.path().join("train")).unwrap();
        }
        let mut config = config("image_folder", root.path());
        assert!(source(&config).test.is_none());
        config.validation = Some(HoldOut::Fraction(0.5));
        let input = InputShape { channels: 3, height: 4, width: 4 };
        let datasets = open(&config, input, 0, &()).unwrap();
        assert_eq!((datasets.train.len(), datasets.test.len()), (2, 2));
        assert!(datasets.validation.is_none());
        assert_eq!(datasets.info.class_names, ["cat", "dog"]);
        let told =
            "hold out 2 of 4 training samples to test on, as there is no test split (by class, seed 0)";
        assert!(datasets.info.steps.contains(&told.to_owned()), "{:?}", datasets.info.steps);
    }
}

#[test]
fn a_limit_takes_all_classes() {
    let root = tempdir().unwrap();
    write_image_folder(root.path());
    let mut config = config("image_folder", root.path());
    config.limit = Some(Limit { train: Some(2), validation: None, test: None });
    let input = InputShape { channels: 3, height: 4, width: 4 };
    let datasets = open(&config, input, 0, &()).unwrap();
    let labels: Vec<u32> = (0..2).map(|index| datasets.train.get(0, index).unwrap().1).collect();
    assert_eq!(labels, [0, 1]);
}

#[test]
fn images_of_several_sizes_have_no_common_shape() {
    let root = tempdir().unwrap();
    write_image_folder(root.path());
    image::GrayImage::new(5, 6).save(root.path().join("train/cat/c.png")).unwrap();
    let config = config("image_folder", root.path());
    assert_eq!(source(&config).shape, None);
    let input = InputShape { channels: 3, height: 32, width: 32 };
    let datasets = open(&config, input, 0, &()).unwrap();
    assert_eq!(datasets.train.get(0, 2).unwrap().0.len(), 3 * 32 * 32);
}

#[test]
fn a_header_far_behind_the_start_of_a_file_is_found() {
    let root = tempdir().unwrap();
    write_image_folder(root.path());
    let noise = image::RgbImage::from_fn(300, 200, |x, y| image::Rgb([(x * y) as u8, x as u8, y as u8]));
    for name in ["behind_the_pixels.tiff", "large.png", "large.bmp", "large.jpg"] {
        noise.save(root.path().join("train/cat").join(name)).unwrap();
    }
    let config = config("image_folder", root.path());
    assert_eq!(samples(&source(&config).train)[2].image.width, 300);
}

#[test]
fn a_changed_or_renamed_image_changes_the_fingerprint() {
    let root = tempdir().unwrap();
    write_image_folder(root.path());
    let config = config("image_folder", root.path());
    let before = source(&config).fingerprint;
    assert_eq!(source(&config).fingerprint, before);
    let from = root.path().join("train/cat/a.png");
    let to = root.path().join("train/cat/a2.png");
    fs::rename(&from, &to).unwrap();
    let renamed = source(&config).fingerprint;
    assert_ne!(renamed, before);
    fs::rename(&to, &from).unwrap();
    image::RgbImage::new(4, 4).save(&from).unwrap();
    assert_ne!(source(&config).fingerprint, before);
}

/// Saves `picture` under `name` and reads it back.
fn read_back(picture: &DynamicImage, name: &str) -> Image {
    let folder = tempdir().unwrap();
    let path = folder.path().join(name);
    picture.save(&path).unwrap();
    load_image_file(&path).unwrap()
}

#[test]
fn every_kind_of_pixel_becomes_8_bit_rgb_or_grey() {
    let rgb = DynamicImage::ImageRgb8(image::RgbImage::from_fn(3, 2, |x, y| {
        image::Rgb([x as u8 * 80, y as u8 * 200, 255])
    }));
    let expected = vec![0, 80, 160, 0, 80, 160, 0, 0, 0, 200, 200, 200, 255, 255, 255, 255, 255, 255];
    let kinds = [
        ("rgb.png", rgb.clone()),
        ("rgba.png", DynamicImage::ImageRgba8(rgb.to_rgba8())),
        ("rgb16.png", DynamicImage::ImageRgb16(rgb.to_rgb16())),
        ("rgba16.png", DynamicImage::ImageRgba16(rgb.to_rgba16())),
        ("rgb.bmp", rgb.clone()),
        ("rgb.ppm", rgb.clone()),
        ("rgb.tiff", rgb.clone()),
        ("rgb.webp", rgb.clone()),
    ];
    for (name, picture) in kinds {
        let image = read_back(&picture, name);
        assert_eq!(image.shape(), InputShape { channels: 3, height: 2, width: 3 }, "{name}");
        assert_eq!(image.pixels.to_vec(), expected, "{name}");
    }
    let grey = rgb.to_luma8();
    let kinds = [
        ("grey.png", DynamicImage::ImageLuma8(grey.clone())),
        ("grey16.png", DynamicImage::ImageLuma16(DynamicImage::from(grey.clone()).to_luma16())),
        ("grey_alpha.png", DynamicImage::ImageLumaA8(DynamicImage::from(grey.clone()).to_luma_alpha8())),
    ];
    for (name, picture) in kinds {
        let image = read_back(&picture, name);
        assert_eq!(image.shape(), InputShape { channels: 1, height: 2, width: 3 }, "{name}");
        assert_eq!(image.pixels.to_vec(), grey.as_raw().clone(), "{name}");
    }
}

#[test]
fn a_palette_becomes_rgb() {
    let image = read_back(
        &DynamicImage::ImageRgb8(image::RgbImage::from_pixel(2, 2, image::Rgb([250, 0, 0]))),
        "p.gif",
    );
    assert_eq!(image.shape(), InputShape { channels: 3, height: 2, width: 2 });
    assert!(image.pixels[0] > 240 && image.pixels[4] < 10, "{:?}", image.pixels);
}

#[test]
fn the_contents_decide_the_format_and_not_the_name() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("photo.jpg");
    image::RgbImage::from_pixel(2, 3, image::Rgb([1, 2, 3]))
        .save_with_format(&path, ImageFormat::Png)
        .unwrap();
    assert_eq!(load_image_file(Path::new(&path)).unwrap().pixels[6], 2);
}
