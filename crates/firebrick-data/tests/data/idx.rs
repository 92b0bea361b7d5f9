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

/// The four files of `write_mnist`, each moved to the path that `place` makes of its name and its dotted name.
fn moved(gzipped: bool, place: impl Fn(&str, &str) -> String) -> tempfile::TempDir {
    let root = tempdir().unwrap();
    write_mnist(root.path(), gzipped);
    for name in
        ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"].map(|name| {
            let ending = if gzipped { "-ubyte.gz" } else { "-ubyte" };
            format!("{name}{ending}")
        })
    {
        let held = root.path().join("held");
        fs::rename(root.path().join(&name), &held).unwrap();
        let to = root.path().join(place(&name, &name.replacen("-idx", ".idx", 1)));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(held, to).unwrap();
    }
    root
}

#[test]
fn files_are_found_as_archives_leave_them() {
    let plain = source(&config("mnist", moved(false, |name, _| name.to_owned()).path())).fingerprint;
    let fits = |root: tempfile::TempDir| {
        let source = source(&config("mnist", root.path()));
        assert_eq!((source.train.unwrap().len(), source.test.unwrap().len()), (20, 10));
        assert_eq!(source.fingerprint, plain);
    };
    for gzipped in [false, true] {
        fits(moved(gzipped, |_, dotted| dotted.to_owned()));
        fits(moved(gzipped, |name, _| format!("mnist/{name}/{name}")));
        fits(moved(gzipped, |name, dotted| format!("{name}/{dotted}")));
        fits(moved(gzipped, |_, dotted| format!("MNIST/raw/{dotted}/{dotted}")));
    }
    // Kaggle's archive: a plain file beside a folder of the other spelling with the same file.
    let root = moved(false, |_, dotted| dotted.to_owned());
    for name in ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        fs::create_dir(root.path().join(name)).unwrap();
        let dotted = root.path().join(name.replacen("-idx", ".idx", 1));
        fs::copy(dotted, root.path().join(name).join(name)).unwrap();
    }
    fits(root);
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
