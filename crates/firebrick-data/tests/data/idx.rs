//! IDX files: MNIST and Fashion-MNIST, plain or gzipped, where people keep them.

use std::fs;

use firebrick_data::{InputShape, Limit, open};
use tempfile::tempdir;

use crate::support::{config, idx_pixels, samples, source, write_mnist};

const SHAPE: InputShape = InputShape { channels: 1, height: 2, width: 3 };

#[test]
fn every_place_and_packing_gives_the_same_samples() {
    let places = [
        ("mnist", ""),
        ("mnist", "mnist"),
        ("mnist", "MNIST/raw"),
        ("fashion_mnist", ""),
        ("fashion_mnist", "fashion_mnist"),
        ("fashion_mnist", "fashion-mnist"),
        ("fashion_mnist", "FashionMNIST/raw"),
    ];
    let mut fingerprints = Vec::new();
    for (dataset, place) in places {
        for gzipped in [false, true] {
            let root = tempdir().unwrap();
            write_mnist(&root.path().join(place), gzipped);
            let source = source(&config(dataset, root.path()));
            let (train, test) = (samples(&source.train), samples(&source.test));
            assert_eq!((train.len(), test.len()), (20, 10), "{place}");
            assert_eq!(source.shape, Some(SHAPE));
            let pixels: Vec<u8> = train.iter().flat_map(|sample| sample.image.pixels.to_vec()).collect();
            assert_eq!(pixels, idx_pixels(20), "{place}");
            assert_eq!(train[13].label, 3);
            fingerprints.push(source.fingerprint);
        }
    }
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 1, "the place changes no fingerprint");
}

#[test]
fn the_telling_folder_comes_before_the_root() {
    let root = tempdir().unwrap();
    write_mnist(root.path(), true);
    write_mnist(&root.path().join("FashionMNIST/raw"), true);
    fs::remove_file(root.path().join("t10k-images-idx3-ubyte.gz")).unwrap();
    assert_eq!(source(&config("fashion_mnist", root.path())).class_names[9], "ankle boot");
}

#[test]
fn names_with_a_dot_are_found() {
    let root = tempdir().unwrap();
    write_mnist(root.path(), false);
    for split in ["train", "t10k"] {
        for kind in ["images", "labels"] {
            let axes = if kind == "images" { 3 } else { 1 };
            let from = root.path().join(format!("{split}-{kind}-idx{axes}-ubyte"));
            fs::rename(from, root.path().join(format!("{split}-{kind}.idx{axes}-ubyte"))).unwrap();
        }
    }
    assert_eq!(source(&config("mnist", root.path())).train.unwrap().len(), 20);
}

#[test]
fn the_test_files_alone_can_be_split() {
    let root = tempdir().unwrap();
    write_mnist(root.path(), true);
    for name in ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"] {
        fs::remove_file(root.path().join(name)).unwrap();
    }
    let mut config = config("mnist", root.path());
    config.train_split = "test[:8]".parse().unwrap();
    config.test_split = "test[8:]".parse().unwrap();
    let datasets = open(&config, SHAPE, 0, &()).unwrap();
    assert_eq!((datasets.info.train_count, datasets.info.test_count), (8, 2));
    let labels = |index| datasets.test.get(0, index).unwrap().1;
    assert_eq!([labels(0), labels(1)], [8, 9]);
    config.limit = Some(Limit { train: Some(3), validation: None, test: Some(1) });
    let datasets = open(&config, SHAPE, 0, &()).unwrap();
    assert_eq!((datasets.info.train_count, datasets.info.test_count), (3, 1));
    assert_eq!(datasets.test.get(0, 0).unwrap().1, 8);
}
