//! A file that stands in for `squeezenet1_1-b8a52dc0.pth`: the names and shapes of torchvision's SqueezeNet 1.1 with its
//! 1000 classes, other values, and the SHA-256 digits that the name promises.
//!
//! Eight digits are few enough to be met by a search: the comment of the archive has been tried until its file's hash
//! began with them.

use super::pt_file::{Python, archive};

/// What makes the hash begin as the published one.
const FOUND: &[u8; 8] = b"001iOHiY";

/// Channels that come in, between, and out of each half of a fire module; and its place.
const FIRES: [(usize, usize, usize, usize); 8] = [
    (3, 64, 16, 64),
    (4, 128, 16, 64),
    (6, 128, 32, 128),
    (7, 256, 32, 128),
    (9, 256, 48, 192),
    (10, 384, 48, 192),
    (11, 384, 64, 256),
    (12, 512, 64, 256),
];

/// The whole file, the same bytes every time.
pub fn published() -> Vec<u8> {
    with_comment(archive("archive", &Python::Dict(state_dict())), FOUND)
}

/// The archive with a comment at its end, padded so that what is searched lies in the hash's last block.
pub fn with_comment(mut archive: Vec<u8>, comment: &[u8; 8]) -> Vec<u8> {
    let padding = (64 + 40 - archive.len() % 64) % 64;
    let length = (padding + comment.len()) as u16;
    let end = archive.len() - 2;
    archive[end..].copy_from_slice(&length.to_le_bytes());
    archive.extend(vec![b' '; padding]);
    archive.extend(comment);
    archive
}

fn state_dict() -> Vec<(String, Python)> {
    let mut tensors = Vec::new();
    let mut conv = |name: String, shape: [usize; 4]| {
        let seed = tensors.len();
        tensors.push((format!("{name}.weight"), tensor(seed, &shape)));
        tensors.push((format!("{name}.bias"), tensor(seed + 1, &shape[..1])));
    };
    conv("features.0".to_owned(), [64, 3, 3, 3]);
    for (place, input, squeeze, expand) in FIRES {
        conv(format!("features.{place}.squeeze"), [squeeze, input, 1, 1]);
        conv(format!("features.{place}.expand1x1"), [expand, squeeze, 1, 1]);
        conv(format!("features.{place}.expand3x3"), [expand, squeeze, 3, 3]);
    }
    conv("classifier.1".to_owned(), [1000, 512, 1, 1]);
    tensors
}

/// Numbers between -1/16 and 1/16 that every machine computes alike.
fn tensor(seed: usize, shape: &[usize]) -> Python {
    let count: usize = shape.iter().product();
    let value = |index: usize| {
        let mixed = ((index + seed * 1_000_003) as u32).wrapping_mul(2_654_435_761) >> 16;
        (mixed as f32 - 32_768.0) / 524_288.0
    };
    Python::Tensor(shape.to_vec(), (0..count).map(value).collect())
}
