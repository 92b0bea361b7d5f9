//! CIFAR: every layout gives the same samples in the same order.

use std::fs;

use firebrick_data::{InputShape, Limit, Sample, open};
use tempfile::tempdir;

use crate::support::{
    CIFAR_SHAPE, cifar_files, config, pack, py2_dict, py2_list, py2_str, samples, source, write_cifar_binary,
    write_cifar_pickle,
};

fn expected(train: bool) -> Vec<(u32, Vec<u8>)> {
    let files = cifar_files(2);
    let files = if train { &files[..5] } else { &files[5..] };
    let images = files.iter().flat_map(|(_, images)| images.clone());
    images.map(|(label, pixels)| (u32::from(label), pixels)).collect()
}

fn content(samples: &[Sample]) -> Vec<(u32, Vec<u8>)> {
    samples.iter().map(|sample| (sample.label, sample.image.pixels.to_vec())).collect()
}

#[test]
fn every_layout_gives_the_same_samples_in_the_same_order() {
    type Layout = fn(&std::path::Path);
    let layouts: [(&str, Layout); 5] = [
        ("binary folder", |root| drop(write_cifar_binary(root, 2))),
        ("pickle folder", |root| drop(write_cifar_pickle(root, 2))),
        ("binary archive", |root| {
            pack(&write_cifar_binary(root, 2), "cifar-10-binary.tar.gz");
        }),
        ("pickle archive", |root| {
            pack(&write_cifar_pickle(root, 2), "cifar-10-python.tar.gz");
        }),
        ("the files themselves", |root| {
            let folder = write_cifar_binary(root, 2);
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                fs::rename(&path, root.join(path.file_name().unwrap())).unwrap();
            }
            fs::remove_dir(folder).unwrap();
        }),
    ];
    for (name, write) in layouts {
        let root = tempdir().unwrap();
        write(root.path());
        let source = source(&config("cifar10", root.path()));
        let train = samples(&source.train);
        assert_eq!(content(&train), expected(true), "{name}");
        assert_eq!(content(&samples(&source.test)), expected(false), "{name}");
        assert_eq!(train[0].image.shape(), CIFAR_SHAPE, "{name}");
        assert_eq!(source.class_names[9], "truck", "{name}");
    }
}

#[test]
fn the_fingerprint_follows_the_contents_and_not_the_packing() {
    let root = tempdir().unwrap();
    let config = config("cifar10", root.path());
    let folder = write_cifar_binary(root.path(), 2);
    let of_folder = source(&config).fingerprint;
    let archive = pack(&folder, "cifar-10-binary.tar.gz");
    assert_eq!(source(&config).fingerprint, of_folder);
    fs::remove_file(archive).unwrap();
    let folder = write_cifar_binary(root.path(), 2);
    let path = folder.join("test_batch.bin");
    let mut bytes = fs::read(&path).unwrap();
    bytes[5] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_ne!(source(&config).fingerprint, of_folder);
}

#[test]
fn class_names_come_from_the_files_when_they_are_there() {
    let names: Vec<String> = (0..10).map(|class| format!("kind {class}")).collect();
    let root = tempdir().unwrap();
    let config = config("cifar10", root.path());
    let folder = write_cifar_binary(root.path(), 1);
    fs::write(folder.join("batches.meta.txt"), names.join("\n") + "\n\n").unwrap();
    assert_eq!(source(&config).class_names, names);

    fs::remove_dir_all(folder).unwrap();
    let folder = write_cifar_pickle(root.path(), 1);
    let list = names.iter().flat_map(|name| py2_str(name.as_bytes())).collect::<Vec<_>>();
    let list = [b"](".as_slice(), &list, b"e"].concat();
    fs::write(folder.join("batches.meta"), py2_dict(&[("label_names", list)])).unwrap();
    assert_eq!(source(&config).class_names, names);
}

#[test]
fn cifar_100_uses_its_fine_labels() {
    let root = tempdir().unwrap();
    let config = config("cifar100", root.path());
    let folder = root.path().join("cifar-100-binary");
    fs::create_dir(&folder).unwrap();
    let record = |coarse, fine, level| [vec![coarse, fine], vec![level; 3072]].concat();
    fs::write(folder.join("train.bin"), [record(3, 99, 5), record(4, 0, 6)].concat()).unwrap();
    fs::write(folder.join("test.bin"), record(5, 42, 7)).unwrap();
    let binary = source(&config);
    let train = content(&samples(&binary.train));
    assert_eq!(train, [(99, vec![5; 3072]), (0, vec![6; 3072])]);
    assert_eq!(samples(&binary.test)[0].label, 42);
    assert_eq!((binary.class_names.len(), binary.class_names[99].as_str()), (100, "worm"));
    assert!(binary.class_names.is_sorted(), "the official order is alphabetical");

    let folder = root.path().join("cifar-100-python");
    fs::remove_dir_all(root.path().join("cifar-100-binary")).unwrap();
    fs::create_dir(&folder).unwrap();
    let write = |name: &str, coarse: &[u8], fine: &[u8], levels: &[u8]| {
        let pixels: Vec<u8> = levels.iter().flat_map(|level| vec![*level; 3072]).collect();
        let data = crate::support::py2_array(fine.len(), &pixels);
        let pairs = [("coarse_labels", py2_list(coarse)), ("fine_labels", py2_list(fine)), ("data", data)];
        fs::write(folder.join(name), py2_dict(&pairs)).unwrap();
    };
    write("train", &[3, 4], &[99, 0], &[5, 6]);
    write("test", &[5], &[42], &[7]);
    assert_eq!(content(&samples(&source(&config).train)), train);
    pack(&folder, "cifar-100-python.tar.gz");
    assert_eq!(content(&samples(&source(&config).train)), train);
}

#[test]
fn an_unused_split_is_neither_needed_nor_read() {
    let root = tempdir().unwrap();
    let folder = write_cifar_binary(root.path(), 2);
    for number in 1..=5 {
        fs::remove_file(folder.join(format!("data_batch_{number}.bin"))).unwrap();
    }
    let mut config = config("cifar10", root.path());
    config.train_split = "test[:1]".parse().unwrap();
    config.test_split = "test[1:]".parse().unwrap();
    let datasets = open(&config, CIFAR_SHAPE, 0, &()).unwrap();
    assert_eq!((datasets.train.len(), datasets.test.len()), (1, 1));
}

#[test]
fn a_limit_takes_the_first_samples() {
    let root = tempdir().unwrap();
    write_cifar_binary(root.path(), 2);
    let mut config = config("cifar10", root.path());
    config.limit = Some(Limit { train: Some(3), validation: None, test: None });
    let datasets = open(&config, CIFAR_SHAPE, 0, &()).unwrap();
    assert_eq!((datasets.info.train_count, datasets.info.test_count), (3, 2));
    let (values, label) = datasets.train.get(0, 2).unwrap();
    let (expected_label, pixels) = &expected(true)[2];
    assert_eq!(label, *expected_label);
    assert_eq!(values[1], f32::from(pixels[1]) / 255.0);
    assert!(datasets.train.get(0, 3).is_err());
    config.limit = Some(Limit { train: Some(1000), validation: None, test: Some(1000) });
    assert_eq!(open(&config, CIFAR_SHAPE, 0, &()).unwrap().train.len(), 10);
}

#[test]
fn a_sample_past_the_end_is_an_error() {
    let root = tempdir().unwrap();
    write_cifar_binary(root.path(), 2);
    let source = source(&config("cifar10", root.path()));
    assert!(source.test.unwrap().get(2).is_err());
}

#[test]
fn the_steps_tell_what_happens_to_an_image() {
    let root = tempdir().unwrap();
    write_cifar_binary(root.path(), 1);
    let config = config("cifar10", root.path());
    let grey = InputShape { channels: 1, height: 28, width: 28 };
    let steps = open(&config, grey, 0, &()).unwrap().info.steps.join("; ");
    assert!(steps.contains("cifar-10-batches-bin"), "{steps}");
    assert!(steps.contains("resize 32x32 -> 28x28"), "{steps}");
    assert!(steps.contains("pixels / 255"), "{steps}");
}
