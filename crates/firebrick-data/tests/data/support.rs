//! Tiny data sets in every layout, written by the tests themselves, and the two questions that most
//! tests ask: which samples come out, and with which message is it refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use firebrick_data::source::{SharedDataset, Source};
use firebrick_data::{DataConfig, DataError, DatasetConfig, InputShape, Normalize, Sample, find, open};
use flate2::Compression;
use flate2::write::GzEncoder;

pub const CIFAR_SHAPE: InputShape = InputShape { channels: 3, height: 32, width: 32 };

/// The data set called `name`, with the defaults of its arguments.
pub fn named(name: &str) -> DatasetConfig {
    toml::Value::String(name.to_owned()).try_into().unwrap()
}

/// A config for `dataset` under `root` that changes no pixel.
pub fn config(dataset: &str, root: &Path) -> DataConfig {
    let mut config = DataConfig::new(named(dataset));
    config.root = root.to_path_buf();
    config.normalize = Some(Normalize::None);
    config
}

pub fn source(config: &DataConfig) -> Source {
    find(config, 7, &()).unwrap()
}

/// All samples in their order.
pub fn samples(dataset: &Option<SharedDataset>) -> Vec<Sample> {
    let dataset = dataset.as_ref().unwrap();
    (0..dataset.len()).map(|index| dataset.get(index).unwrap()).collect()
}

/// Opens `config`, expects an error whose message has every one of `parts`, and that the disk is as
/// it was.
#[track_caller]
pub fn refused(config: &DataConfig, parts: &[&str]) -> DataError {
    let before = tree(&config.root);
    let error = match open(config, CIFAR_SHAPE, 0, &()) {
        Ok(_) => panic!("accepted, expected a message with {parts:?}"),
        Err(error) => error,
    };
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
    assert_eq!(before, tree(&config.root), "something was left behind");
    error
}

/// The length of every file under `root`; links are not followed.
pub fn tree(root: &Path) -> BTreeMap<PathBuf, u64> {
    let mut files = BTreeMap::new();
    let Ok(entries) = fs::read_dir(root) else { return files };
    for entry in entries.map(|entry| entry.unwrap()) {
        if entry.file_type().unwrap().is_dir() {
            files.extend(tree(&entry.path()));
        }
        files.insert(entry.path(), entry.metadata().unwrap().len());
    }
    files
}

/// Image `index`: 3,072 bytes that differ from every other image's.
pub fn cifar_pixels(index: usize) -> Vec<u8> {
    (0..3072).map(|place| (place * 7 + place / 256 + index * 31) as u8).collect()
}

/// A file's name, and (label, pixels) of each image in it.
pub type CifarFile = (String, Vec<(u8, Vec<u8>)>);

/// Six CIFAR-10 files of `per_file` images each.
pub fn cifar_files(per_file: usize) -> Vec<CifarFile> {
    let names = (1..=5).map(|number| format!("data_batch_{number}"));
    let names = names.chain(["test_batch".to_owned()]);
    names
        .enumerate()
        .map(|(file, name)| {
            let images = (0..per_file).map(|record| {
                let index = file * per_file + record;
                ((index % 10) as u8, cifar_pixels(index))
            });
            (name, images.collect())
        })
        .collect()
}

/// Writes `root/cifar-10-batches-bin`.
pub fn write_cifar_binary(root: &Path, per_file: usize) -> PathBuf {
    let folder = root.join("cifar-10-batches-bin");
    fs::create_dir_all(&folder).unwrap();
    for (name, images) in cifar_files(per_file) {
        let records = images.iter().flat_map(|(label, pixels)| [vec![*label], pixels.clone()]);
        fs::write(folder.join(format!("{name}.bin")), records.flatten().collect::<Vec<_>>()).unwrap();
    }
    folder
}

/// Writes `root/cifar-10-batches-py` with the opcodes of the official files.
pub fn write_cifar_pickle(root: &Path, per_file: usize) -> PathBuf {
    let folder = root.join("cifar-10-batches-py");
    fs::create_dir_all(&folder).unwrap();
    for (name, images) in cifar_files(per_file) {
        let labels: Vec<u8> = images.iter().map(|(label, _)| *label).collect();
        let pixels: Vec<u8> = images.into_iter().flat_map(|(_, pixels)| pixels).collect();
        fs::write(folder.join(name), cifar_pickle(&labels, per_file, &pixels)).unwrap();
    }
    folder
}

/// A Python 2 `str`.
pub fn py2_str(text: &[u8]) -> Vec<u8> {
    match u8::try_from(text.len()) {
        Ok(length) => [&[b'U', length], text].concat(),
        Err(_) => [&b"T"[..], &(text.len() as u32).to_le_bytes(), text].concat(),
    }
}

/// A protocol 2 pickle of a dictionary.
pub fn py2_dict(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let items = pairs.iter().flat_map(|(key, value)| [py2_str(key.as_bytes()), value.clone()]);
    [b"\x80\x02}(".to_vec(), items.flatten().collect(), b"u.".to_vec()].concat()
}

/// A list of small whole numbers.
pub fn py2_list(numbers: &[u8]) -> Vec<u8> {
    let items: Vec<u8> = numbers.iter().flat_map(|number| [b'K', *number]).collect();
    [b"](", items.as_slice(), b"e"].concat()
}

/// A numpy array of `rows` by 3,072 bytes, as numpy writes it.
pub fn py2_array(rows: usize, data: &[u8]) -> Vec<u8> {
    let rows = (rows as u16).to_le_bytes();
    [
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01M".as_slice(),
        &rows,
        b"M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89",
        &py2_str(data),
        b"tb",
    ]
    .concat()
}

pub fn cifar_pickle(labels: &[u8], rows: usize, pixels: &[u8]) -> Vec<u8> {
    py2_dict(&[
        ("batch_label", py2_str(b"training batch 1 of 5")),
        ("labels", py2_list(labels)),
        ("data", py2_array(rows, pixels)),
    ])
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Packs `folder` as the archive `name` beside it and removes the folder.
pub fn pack(folder: &Path, name: &str) -> PathBuf {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all(folder.file_name().unwrap(), folder).unwrap();
    let archive = folder.with_file_name(name);
    fs::write(&archive, gzip(&builder.into_inner().unwrap())).unwrap();
    fs::remove_dir_all(folder).unwrap();
    archive
}

/// An IDX file of images.
pub fn idx_images(count: u32, height: u32, width: u32, pixels: &[u8]) -> Vec<u8> {
    let header = [0x0803, count, height, width].map(u32::to_be_bytes).concat();
    [header.as_slice(), pixels].concat()
}

/// An IDX file of labels.
pub fn idx_labels(labels: &[u8]) -> Vec<u8> {
    [[0x0801, labels.len() as u32].map(u32::to_be_bytes).concat().as_slice(), labels].concat()
}

/// Pixels of `count` images of 2 rows by 3 columns.
pub fn idx_pixels(count: usize) -> Vec<u8> {
    (0..count * 6).map(|place| (place * 3) as u8).collect()
}

/// Writes the four files of a tiny MNIST: 20 images to train on, 10 to test on.
pub fn write_mnist(folder: &Path, gzipped: bool) {
    fs::create_dir_all(folder).unwrap();
    for (split, count) in [("train", 20_u8), ("t10k", 10)] {
        let labels: Vec<u8> = (0..count).map(|index| index % 10).collect();
        let images = idx_images(u32::from(count), 2, 3, &idx_pixels(usize::from(count)));
        for (name, bytes) in [("images-idx3", images), ("labels-idx1", idx_labels(&labels))] {
            let name = format!("{split}-{name}-ubyte");
            if gzipped {
                fs::write(folder.join(format!("{name}.gz")), gzip(&bytes)).unwrap();
            } else {
                fs::write(folder.join(name), bytes).unwrap();
            }
        }
    }
}

/// Writes an image folder of two classes, two training images and one test image each, 4x4.
pub fn write_image_folder(root: &Path) {
    for (class, level) in [("cat", 10_u8), ("dog", 200)] {
        for (split, name, step) in [("train", "a", 0), ("train", "b", 1), ("test", "a", 2)] {
            let folder = root.join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            let pixel = image::Rgb([level + step, 20, 30]);
            image::RgbImage::from_pixel(4, 4, pixel).save(folder.join(format!("{name}.png"))).unwrap();
        }
    }
}
