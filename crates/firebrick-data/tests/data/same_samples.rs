//! The same images through every source that can hold them are the same samples in the same order.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use firebrick_data::source::{SharedDataset, Source};
use firebrick_data::{DataConfig, DataLoader, InputShape, LoaderOptions, Sample, find, open};
use image::{ImageFormat, RgbImage};
use tempfile::tempdir;
use zip::write::SimpleFileOptions;

use crate::support::samples;

pub const SIDE: usize = 8;
const CLASSES: [&str; 3] = ["cat", "dog", "owl"];
/// Twelve training images and three to test on.
const SPLITS: [(&str, std::ops::Range<usize>); 2] = [("train", 0..12), ("test", 12..15)];

/// Where the files of other writers lie; `tests/golden/make_sources.py` has made them.
pub fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/files")
}

pub fn pixel(index: usize, channel: usize, row: usize, column: usize) -> u8 {
    (31 * index + 7 * channel + 5 * row + 3 * column) as u8
}

fn planes(index: usize, side: usize) -> Vec<u8> {
    let place = |at: usize| pixel(index, at / (side * side), at / side % side, at % side);
    (0..3 * side * side).map(place).collect()
}

pub fn png(index: usize) -> Vec<u8> {
    let picture = RgbImage::from_fn(SIDE as u32, SIDE as u32, |column, row| {
        image::Rgb([0, 1, 2].map(|channel| pixel(index, channel, row as usize, column as usize)))
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

pub fn config(text: &str, root: &Path) -> DataConfig {
    let mut config: DataConfig = toml::from_str(text).unwrap();
    config.root = root.to_path_buf();
    config.normalize = Some(firebrick_data::Normalize::None);
    config
}

fn read(text: &str, root: &Path) -> Source {
    find(&config(text, root), 0, &()).unwrap()
}

/// Samples are those of the indices, in this order.
#[track_caller]
fn check(split: &Option<SharedDataset>, indices: impl IntoIterator<Item = usize>, side: usize) {
    let expected: Vec<(Vec<u8>, u32)> =
        indices.into_iter().map(|index| (planes(index, side), (index % 3) as u32)).collect();
    let seen: Vec<(Vec<u8>, u32)> = samples(split)
        .into_iter()
        .map(|Sample { image, label }| {
            assert_eq!(image.shape(), InputShape { channels: 3, height: side, width: side });
            (image.pixels.to_vec(), label)
        })
        .collect();
    assert!(seen == expected, "other samples: {:?}", seen.iter().map(|sample| sample.1).collect::<Vec<_>>());
    let labels: Vec<u32> =
        (0..seen.len()).map(|index| split.as_ref().unwrap().label(index).unwrap()).collect();
    assert_eq!(labels, seen.iter().map(|sample| sample.1).collect::<Vec<_>>());
}

/// An image folder sorts by class.
fn by_class(indices: std::ops::Range<usize>) -> Vec<usize> {
    let mut indices: Vec<usize> = indices.collect();
    indices.sort_by_key(|index| (index % 3, *index));
    indices
}

pub fn write_folder(root: &Path) {
    for (split, indices) in SPLITS {
        for index in indices {
            let folder = root.join(split).join(CLASSES[index % 3]);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{index:04}.png")), png(index)).unwrap();
        }
    }
}

#[test]
fn an_image_folder() {
    let root = tempdir().unwrap();
    write_folder(root.path());
    let source = read("dataset = 'image_folder'", root.path());
    check(&source.train, by_class(0..12), SIDE);
    check(&source.test, by_class(12..15), SIDE);
}

#[test]
fn lists_of_every_form() {
    let lines = |start: &str, line: &dyn Fn(usize, &str) -> String| {
        let rows =
            SPLITS.iter().flat_map(|(split, indices)| indices.clone().map(move |index| line(index, split)));
        start.to_owned() + &rows.collect::<String>()
    };
    let class = |index: usize| CLASSES[index % 3];
    let csv = lines("id,path,label,split\n", &|index, split| {
        format!("{index},images/{index}.png,{},{split}\n", class(index))
    });
    let tsv = lines("\u{feff}split\tlabel\tpath\r\n", &|index, split| {
        format!("{split}\t{}\t\"images/{index}.png\"\r\n", index % 3)
    });
    let json = lines("", &|index, split| {
        let label = class(index);
        format!(
            "{{\"file_name\": \"images/{index}.png\", \"kind\": \"{label}\", \"split\": \"{split}\"}}\n\n"
        )
    });
    let root = tempdir().unwrap();
    fs::create_dir(root.path().join("images")).unwrap();
    for index in 0..15 {
        fs::write(root.path().join(format!("images/{index}.png")), png(index)).unwrap();
    }
    let cases = [
        ("list.csv", csv, "", ["cat", "dog", "owl"]),
        ("list.tsv", tsv, "", ["0", "1", "2"]),
        ("list.jsonl", json, ", path_column = 'file_name', label_column = 'kind'", ["cat", "dog", "owl"]),
    ];
    for (name, text, arguments, names) in cases {
        fs::write(root.path().join(name), text).unwrap();
        let source =
            read(&format!("dataset = {{ name = 'image_list', list = '{name}'{arguments} }}"), root.path());
        check(&source.train, 0..12, SIDE);
        check(&source.test, 12..15, SIDE);
        assert_eq!(source.class_names, names);
    }
}

pub fn write_zip(path: &Path, around: &str, options: SimpleFileOptions) {
    let mut writer = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (split, indices) in SPLITS {
        // Not in the order of an image folder.
        for index in indices.rev() {
            let name = format!("{around}{split}/{}/{index:04}.png", CLASSES[index % 3]);
            writer.start_file(name, options).unwrap();
            writer.write_all(&png(index)).unwrap();
        }
    }
    writer.start_file("__MACOSX/._train", options).unwrap();
    writer.finish().unwrap();
}

#[test]
fn a_zip_of_an_image_folder_packed_or_not() {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (around, options) in [("", stored), ("photos/", SimpleFileOptions::default())] {
        let root = tempdir().unwrap();
        write_zip(&root.path().join("photos.zip"), around, options);
        let source = read("dataset = { name = 'image_zip', file = 'photos.zip' }", root.path());
        check(&source.train, by_class(0..12), SIDE);
        check(&source.test, by_class(12..15), SIDE);
        assert_eq!(source.class_names, CLASSES);
    }
}

/// One archive of samples with the labels in files of this ending.
pub fn write_shard(path: &Path, indices: std::ops::Range<usize>, ending: &str) {
    let mut builder = tar::Builder::new(fs::File::create(path).unwrap());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes).unwrap();
    };
    for index in indices {
        let label = match ending {
            "json" => format!("{{\"label\": \"{}\", \"x\": [1]}}", CLASSES[index % 3]),
            "txt" => format!("{}\n", CLASSES[index % 3]),
            _ => (index % 3).to_string(),
        };
        // A name that only an extension header can hold.
        let name = format!("{}{index:06}", if index % 2 == 0 { "a/".repeat(60) } else { String::new() });
        add(&format!("{name}.{ending}"), label.as_bytes());
        add(&format!("{name}.png"), &png(index));
    }
    builder.finish().unwrap();
}

#[test]
fn tar_archives_with_labels_of_every_kind() {
    for (ending, names) in [("cls", ["0", "1", "2"]), ("json", CLASSES), ("txt", CLASSES)] {
        let root = tempdir().unwrap();
        write_shard(&root.path().join("train-0000.tar"), 0..5, ending);
        write_shard(&root.path().join("train-0001.tar"), 5..12, ending);
        fs::create_dir(root.path().join("test")).unwrap();
        write_shard(&root.path().join("test/0.tar"), 12..15, ending);
        let text = format!("dataset = {{ name = 'webdataset', label = '{ending}' }}");
        let source = read(&text, root.path());
        check(&source.train, 0..12, SIDE);
        check(&source.test, 12..15, SIDE);
        assert_eq!(source.class_names, names, "{ending}");
        fs::write(root.path().join("classnames.txt"), "cat\ndog\nowl\n").unwrap();
        assert_eq!(read(&text, root.path()).class_names, CLASSES, "{ending}");
    }
}

fn npy(kind: &str, axes: &str, numbers: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {axes}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), numbers].concat()
}

#[test]
fn arrays_in_files_and_in_one_archive() {
    let nchw =
        |indices: std::ops::Range<usize>| indices.flat_map(|index| planes(index, SIDE)).collect::<Vec<u8>>();
    let nhwc = |indices: std::ops::Range<usize>| {
        let pixel_of = |at: usize| pixel(at / 192, at % 3, at / 24 % 8, at / 3 % 8);
        (indices.start * 192..indices.end * 192).map(pixel_of).collect::<Vec<u8>>()
    };
    let labels: Vec<u8> = (0..15).map(|index| index % 3).collect();
    let wide: Vec<u8> = labels.iter().flat_map(|label| i64::from(*label).to_le_bytes()).collect();
    let root = tempdir().unwrap();
    let arrays = [
        ("x_train", npy("|u1", "(12, 3, 8, 8)", &nchw(0..12))),
        ("y_train", npy("<i8", "(12,)", &wide[..96])),
        ("test_images", npy("|u1", "(3, 8, 8, 3)", &nhwc(12..15))),
        ("test_labels", npy("|u1", "(3, 1)", &labels[12..])),
    ];
    let mut writer = zip::ZipWriter::new(fs::File::create(root.path().join("all.npz")).unwrap());
    for (name, bytes) in &arrays {
        fs::write(root.path().join(format!("{name}.npy")), bytes).unwrap();
        writer.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
    for (text, names) in [
        ("dataset = 'numpy'", ["0", "1", "2"]),
        ("dataset = { name = 'numpy', file = 'all.npz', class_names = ['cat', 'dog', 'owl'] }", CLASSES),
    ] {
        let source = read(text, root.path());
        check(&source.train, 0..12, SIDE);
        check(&source.test, 12..15, SIDE);
        assert_eq!(source.class_names, names);
    }
}

#[test]
fn parquet_as_the_hub_and_others_write_it() {
    let source = read("dataset = 'parquet'", &files().join("hub"));
    check(&source.train, 0..12, SIDE);
    check(&source.test, 12..15, SIDE);
    assert_eq!(source.class_names, CLASSES);
    for folder in ["gzip", "plain", "pages"] {
        let source = read("dataset = 'parquet'", &files().join(folder));
        check(&source.train, 0..12, SIDE);
        assert!(source.test.is_none());
    }
    let source = read("dataset = { name = 'parquet', label_column = 'kind' }", &files().join("text"));
    check(&source.train, 0..12, SIDE);
    assert_eq!(source.class_names, CLASSES);
}

#[test]
fn svhn_as_scipy_writes_it() {
    let source = read("dataset = 'svhn'", &files().join("svhn"));
    check(&source.train, 0..4, 32);
    check(&source.test, 0..2, 32);
}

#[test]
fn stl10_with_its_columns_first() {
    let root = tempdir().unwrap();
    for (split, count) in [("train", 4), ("test", 2)] {
        let place = |at: usize| pixel(at / (3 * 96 * 96), at / (96 * 96) % 3, at % 96, at / 96 % 96);
        fs::write(
            root.path().join(format!("{split}_X.bin")),
            (0..count * 3 * 96 * 96).map(place).collect::<Vec<u8>>(),
        )
        .unwrap();
        let labels: Vec<u8> = (0..count).map(|index| (index % 3) as u8 + 1).collect();
        fs::write(root.path().join(format!("{split}_y.bin")), labels).unwrap();
    }
    let source = read("dataset = 'stl10'", root.path());
    check(&source.train, 0..4, 96);
    check(&source.test, 0..2, 96);
}

#[test]
fn tiny_imagenet_and_imagenet_with_their_lists() {
    let root = tempdir().unwrap();
    let wnids = ["n01", "n02", "n03"];
    let write = |path: String, index: usize| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, png(index)).unwrap();
    };
    for index in 0..12 {
        let wnid = wnids[index % 3];
        write(format!("tiny-imagenet-200/train/{wnid}/images/{index:02}.JPEG"), index);
        write(format!("ILSVRC/Data/CLS-LOC/train/{wnid}/{index:02}.JPEG"), index);
    }
    let mut annotations = String::new();
    let mut solution = "ImageId,PredictionString\n".to_owned();
    for index in 12..15 {
        write(format!("tiny-imagenet-200/val/images/val_{index}.JPEG"), index);
        write(format!("ILSVRC/Data/CLS-LOC/val/val_{index}.JPEG"), index);
        annotations += &format!("val_{index}.JPEG\t{}\t0\t0\t1\t1\n", wnids[index % 3]);
        solution += &format!("val_{index},{} 1 2 3 4 \n", wnids[index % 3]);
    }
    for wnid in wnids {
        fs::write(root.path().join(format!("tiny-imagenet-200/train/{wnid}/{wnid}_boxes.txt")), "x").unwrap();
    }
    fs::write(root.path().join("tiny-imagenet-200/val/val_annotations.txt"), annotations).unwrap();
    fs::write(root.path().join("LOC_val_solution.csv"), solution).unwrap();
    fs::write(root.path().join("LOC_synset_mapping.txt"), "n01 crane, bird\nn02 dog\nn03 crane\n").unwrap();
    let tiny = read("dataset = 'tiny_imagenet'", root.path());
    check(&tiny.train, by_class(0..12), SIDE);
    check(&tiny.test, 12..15, SIDE);
    let large = read("dataset = 'imagenet'", root.path());
    check(&large.train, by_class(0..12), SIDE);
    check(&large.test, 12..15, SIDE);
    assert_eq!(large.class_names, ["crane (n01)", "dog", "crane (n03)"]);
}

/// What a network sees of an epoch is the same to the last digit, whatever the images came in.
#[test]
fn batches_of_an_epoch_are_the_same_bits() {
    let root = tempdir().unwrap();
    write_folder(root.path());
    write_zip(&root.path().join("photos.zip"), "", SimpleFileOptions::default());
    let mut list = "path,label,split\n".to_owned();
    for (split, indices) in SPLITS {
        for index in by_class(indices) {
            list +=
                &format!("{split}/{}/{index:04}.png,{},{split}\n", CLASSES[index % 3], CLASSES[index % 3]);
        }
    }
    fs::write(root.path().join("list.csv"), list).unwrap();
    let batches = |dataset: &str| {
        let text = format!(
            "dataset = {dataset}\nnormalize = {{ mean = [0.5, 0.4, 0.3], std = [0.2, 0.3, 0.4] }}\n\
             augment = [{{ name = 'random_crop', padding = 2 }}, {{ name = 'random_horizontal_flip' }}]"
        );
        let mut config: DataConfig = toml::from_str(&text).unwrap();
        config.root = root.path().to_path_buf();
        let input = InputShape { channels: 3, height: SIDE, width: SIDE };
        let datasets = open(&config, input, 5, &()).unwrap();
        let options = LoaderOptions { batch_size: 5, shuffle: true, seed: 5, workers: 2, drop_last: false };
        let loader = DataLoader::new(datasets.train, options);
        let values = loader.epoch(3, 0).map(|batch| {
            let batch = batch.unwrap();
            (batch.pixels.into_floats(3 * SIDE * SIDE), batch.labels)
        });
        values
            .map(|(values, labels)| (values.into_iter().map(f32::to_bits).collect::<Vec<_>>(), labels))
            .collect::<Vec<_>>()
    };
    let expected = batches("'image_folder'");
    assert_eq!(expected.len(), 3);
    for dataset in
        ["{ name = 'image_zip', file = 'photos.zip' }", "{ name = 'image_list', list = 'list.csv' }"]
    {
        assert!(batches(dataset) == expected, "{dataset}");
    }
}
