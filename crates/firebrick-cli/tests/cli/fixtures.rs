//! Small datasets in every format, made to be broken.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};

use super::sandbox::Sandbox;

/// Bytes of a CIFAR-10 record: label and pixels.
pub const CIFAR_RECORD: usize = 1 + 3 * 32 * 32;

const CIFAR_FILES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

/// Ten records a file, one of each class, below `data/cifar-10-batches-bin`.
pub fn cifar10(sandbox: &Sandbox) {
    for (number, name) in CIFAR_FILES.iter().enumerate() {
        let records: Vec<u8> = (0..10_u8).flat_map(|label| cifar_record(label, number as u8)).collect();
        sandbox.write(&format!("data/cifar-10-batches-bin/{name}"), records);
    }
}

fn cifar_record(label: u8, seed: u8) -> Vec<u8> {
    let pixels = (0..CIFAR_RECORD - 1).map(|pixel| (pixel as u8).wrapping_mul(label + 1).wrapping_add(seed));
    std::iter::once(label).chain(pixels).collect()
}

/// 20 grey images of 28x28 to train and 10 to test, below `data/mnist`.
pub fn mnist(sandbox: &Sandbox) {
    for (split, count) in [("train", 20_u32), ("t10k", 10)] {
        let images = idx(0x0803, &[count, 28, 28], (0..count * 28 * 28).map(|pixel| pixel as u8));
        let labels = idx(0x0801, &[count], (0..count).map(|index| (index % 10) as u8));
        sandbox.write(&format!("data/mnist/{split}-images-idx3-ubyte"), images);
        sandbox.write(&format!("data/mnist/{split}-labels-idx1-ubyte"), labels);
    }
}

/// An IDX file: magic number, axes, elements.
pub fn idx(magic: u32, axes: &[u32], elements: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut bytes = magic.to_be_bytes().to_vec();
    bytes.extend(axes.iter().flat_map(|axis| axis.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

/// `cat` and `dog`, four images each to train and two to test, below `data/pets`.
pub fn image_folder(sandbox: &Sandbox) {
    for (split, count) in [("train", 4_u8), ("test", 2)] {
        for (class, name) in ["cat", "dog"].iter().enumerate() {
            for number in 0..count {
                let picture = png(class as u8 * 100 + number);
                sandbox.write(&format!("data/pets/{split}/{name}/{number}.png"), picture);
            }
        }
    }
}

/// A 16x12 PNG of one colour.
pub fn png(shade: u8) -> Vec<u8> {
    let picture = RgbImage::from_pixel(16, 12, image::Rgb([shade, 255 - shade, 128]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Changes a file in place.
pub fn edit(sandbox: &Sandbox, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(sandbox.path(name)).unwrap();
    change(&mut bytes);
    sandbox.write(name, bytes);
}
