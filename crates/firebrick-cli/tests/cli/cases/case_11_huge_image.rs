//! Pictures beyond the limits are refused from their header, with their size and the limit.

use image::{GrayImage, ImageFormat, Luma};

use super::hostile_files::peak_of;
use crate::cli::sandbox::{Ended, Sandbox};

/// The start of a PNG of this size with 16 bits for each of four channels, whose data are not there.
pub fn deep_png(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    header.extend([16, 6, 0, 0, 0]);
    let chunk = |contents: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(contents);
        [&(contents.len() as u32 - 4).to_be_bytes(), contents, &crc.sum().to_be_bytes()].concat()
    };
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(&header), &chunk(b"IDAT\x78\x01")].concat()
}

fn predict(sandbox: &Sandbox, name: &str) -> Ended {
    sandbox.firebrick(&["predict", "run", name, "--json"])
}

fn grey(sandbox: &Sandbox, name: &str, width: u32, height: u32) {
    GrayImage::from_pixel(width, height, Luma([200])).save(sandbox.path(name)).unwrap();
}

#[test]
fn too_many_pixels_a_side() {
    let sandbox = Sandbox::with_run();
    for (name, width, height, shown) in [
        ("wide.png", 17_000, 100, "17,000 x 100 pixels"),
        ("tall.png", 3, 16_385, "3 x 16,385 pixels"),
        ("panorama.jpg", 65_500, 8, "65,500 x 8 pixels"),
        ("wide.tiff", 20_000, 2, "20,000 x 2 pixels"),
    ] {
        grey(&sandbox, name, width, height);
        let ended = predict(&sandbox, name).ends_with(3);
        for part in [name, shown, "1 to 16,384 pixels a side"] {
            assert!(ended.stderr.contains(part), "no `{part}`: {ended:#?}");
        }
    }
}

#[test]
fn small_and_thin_pictures_are_read() {
    let sandbox = Sandbox::with_run();
    for (name, width, height) in [("pixel.png", 1, 1), ("thin.png", 1, 3000), ("limit.png", 16_384, 2)] {
        grey(&sandbox, name, width, height);
        predict(&sandbox, name).succeeds();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn more_memory_than_one_picture_may_take_is_never_asked_for() {
    let sandbox = Sandbox::with_run();
    sandbox.write("deep.png", deep_png(16_384, 16_384));
    let (ended, peak_mib) =
        peak_of(&sandbox, env!("CARGO_BIN_EXE_firebrick"), &["predict", "run", "deep.png"]);
    let ended = ended.ends_with(3);
    for part in ["deep.png", "16,384 x 16,384 pixels", "take 2,816 MiB", "at most 1,024 MiB"] {
        assert!(ended.stderr.contains(part), "no `{part}`: {ended:#?}");
    }
    assert!(peak_mib < 400, "{peak_mib} MiB");
}

#[test]
fn a_picture_beyond_the_limits_is_found_when_a_folder_is_opened() {
    let sandbox = Sandbox::new();
    crate::cli::fixtures::image_folder(&sandbox);
    sandbox.write("data/pets/train/cat/deep.png", deep_png(16_384, 16_384));
    let ended = sandbox.firebrick(&["data", "info", "image_folder", "--root", "data/pets"]).ends_with(3);
    assert!(ended.stderr.contains("data/pets/train/cat/deep.png"), "{ended:#?}");
    let mut wide = std::io::Cursor::new(Vec::new());
    GrayImage::new(17_000, 1).write_to(&mut wide, ImageFormat::Png).unwrap();
    sandbox.write("data/pets/train/cat/deep.png", wide.into_inner());
    let ended = sandbox.firebrick(&["data", "info", "image_folder", "--root", "data/pets"]).ends_with(3);
    assert!(ended.stderr.contains("17,000 x 1 pixels"), "{ended:#?}");
}
