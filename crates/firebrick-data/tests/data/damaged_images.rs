//! Image files that are not whole, of every format: an error that names the file, or the whole picture; never a part of
//! it, and never a panic.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use firebrick_data::{Image, load_image_file};
use image::{DynamicImage, ImageFormat, RgbImage};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tempfile::tempdir;

/// Pictures of 24 x 20 pixels that PIL has written, as the `image` crate cannot.
const FROM_PIL: [&str; 13] = [
    "animated.gif",
    "cmyk.jpg",
    "deflate.tiff",
    "grey.png",
    "interlaced.gif",
    "lossless.webp",
    "lossy.webp",
    "lzw.tiff",
    "palette.bmp",
    "palette.png",
    "progressive.jpg",
    "restarts.jpg",
    "subsampled.jpg",
];

/// Whole files of every format, with their names.
fn whole_files() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/images");
    let mut files: Vec<(String, Vec<u8>)> =
        FROM_PIL.iter().map(|name| ((*name).to_owned(), fs::read(folder.join(name)).unwrap())).collect();
    let picture =
        RgbImage::from_fn(24, 20, |x, y| image::Rgb([(x * 11) as u8, (y * 13) as u8, (x * y) as u8]));
    let picture = DynamicImage::from(picture);
    for (name, format) in [
        ("baseline.jpg", ImageFormat::Jpeg),
        ("plain.png", ImageFormat::Png),
        ("plain.bmp", ImageFormat::Bmp),
        ("plain.gif", ImageFormat::Gif),
        ("plain.tiff", ImageFormat::Tiff),
        ("plain.ppm", ImageFormat::Pnm),
        ("plain.webp", ImageFormat::WebP),
    ] {
        files.push((name.to_owned(), encoded(&picture, format)));
    }
    files.push(("deep.png".to_owned(), encoded(&picture.to_rgba16().into(), ImageFormat::Png)));
    files.push(("float.tiff".to_owned(), encoded(&picture.to_rgb32f().into(), ImageFormat::Tiff)));
    files
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Reads `bytes` as a file of this name; an error has to name it.
fn read(folder: &Path, name: &str, bytes: &[u8]) -> Option<Image> {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    match load_image_file(&path) {
        Ok(image) => Some(image),
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains(name), "{message}");
            None
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_or_gives_the_whole_picture() {
    let folder = tempdir().unwrap();
    for (name, whole) in whole_files() {
        let expected = read(folder.path(), &name, &whole).unwrap_or_else(|| panic!("{name} is whole"));
        let mut wrong = Vec::new();
        let cuts = (0..40).chain((40..whole.len()).step_by(37)).chain(whole.len() - 24..whole.len());
        for cut in cuts {
            let got = read(folder.path(), &name, &whole[..cut]);
            if got.is_some_and(|got| got != expected) {
                wrong.push(cut);
            }
        }
        assert!(wrong.is_empty(), "{name} of {} bytes: half a picture when cut at {wrong:?}", whole.len());
    }
}

#[test]
fn a_tail_that_was_never_written_is_refused_or_gives_the_whole_picture() {
    let folder = tempdir().unwrap();
    let mut wrong = Vec::new();
    for (name, whole) in whole_files() {
        let expected = read(folder.path(), &name, &whole).unwrap();
        for eighths in 1..8 {
            let mut bytes = whole.clone();
            bytes[whole.len() * eighths / 8..].fill(0);
            // An uncompressed picture whose tail is black is a picture, and WebP has no checksum and no end.
            let is_open = ["plain.bmp", "palette.bmp", "plain.ppm", "plain.tiff", "float.tiff"]
                .contains(&name.as_str());
            let is_open = is_open || name.ends_with("webp");
            if !is_open && read(folder.path(), &name, &bytes).is_some_and(|got| got != expected) {
                wrong.push(format!("{name} {eighths}/8"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn flipped_bits_never_panic() {
    let folder = tempdir().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for (name, whole) in whole_files() {
        for _ in 0..30 {
            let mut bytes = whole.clone();
            let place = random.next_u32() as usize % bytes.len().min(400);
            bytes[place] ^= 1 << (random.next_u32() % 8);
            let _ = read(folder.path(), &name, &bytes);
        }
    }
}
