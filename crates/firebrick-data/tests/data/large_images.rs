//! Limits on a picture: refused from its header, with its size and the limit.

use std::fs;

use firebrick_data::load_image_file;
use tempfile::tempdir;

/// A PNG that begins as one of this size and kind of pixel does, and holds nothing.
fn png(width: u32, height: u32, bits: u8, color: u8) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    header.extend([bits, color, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(chunk(&header));
    bytes.extend(chunk(b"IDAT"));
    bytes
}

/// A chunk of its name and data.
fn chunk(contents: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(contents);
    [&(contents.len() as u32 - 4).to_be_bytes(), contents, &crc.sum().to_be_bytes()].concat()
}

fn bmp(width: i32, height: i32) -> Vec<u8> {
    let mut bytes = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bytes.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
    bytes.extend(b"\x01\0\x18\0\0\0\0\0");
    bytes.resize(54, 0);
    bytes
}

fn gif(width: u16, height: u16) -> Vec<u8> {
    let size = [width.to_le_bytes(), height.to_le_bytes()].concat();
    // The canvas with two colours, and the start of a frame.
    let frame = [b",\0\0\0\0".as_slice(), &size, b"\0\x02\x02\x4c\x01\0;"].concat();
    [b"GIF89a".as_slice(), &size, b"\x80\0\0\0\0\0\xff\xff\xff", &frame].concat()
}

/// A baseline frame of three components and the start of a scan.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = b"\xff\xd8\xff\xc0\0\x11\x08".to_vec();
    bytes.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
    bytes.extend(b"\x03\x01\x11\0\x02\x11\0\x03\x11\0");
    bytes.extend(b"\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0\xff\xd9");
    bytes
}

#[track_caller]
fn refused(name: &str, bytes: &[u8], parts: &[&str]) {
    let folder = tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let message = load_image_file(&path).unwrap_err().to_string();
    for part in parts.iter().chain([&name]) {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
}

#[test]
fn a_side_of_too_many_pixels() {
    let limit = "expected 1 to 16,384 pixels a side, got";
    refused("wide.png", &png(17_000, 100, 8, 2), &[limit, "17,000 x 100 pixels"]);
    refused("tall.png", &png(1, 16_385, 8, 0), &[limit, "1 x 16,385 pixels"]);
    refused(
        "huge.png",
        &png(0x7fff_ffff, 0x7fff_ffff, 16, 6),
        &[limit, "2,147,483,647 x 2,147,483,647 pixels"],
    );
    refused("wide.gif", &gif(65_535, 3), &[limit, "65,535 x 3 pixels"]);
    refused("wide.bmp", &bmp(20_000, 3), &[limit, "20,000 x 3 pixels"]);
    refused("wide.ppm", b"P6 40000 2 255\n", &[limit, "40,000 x 2 pixels"]);
    refused("wide.jpg", &jpeg(65_500, 8), &[limit, "65,500 x 8 pixels"]);
}

#[test]
fn more_memory_than_one_picture_may_take() {
    let limit = "expected at most 1,024 MiB of memory to decode it, got 16,384 x 16,384 pixels, which take";
    refused("deep.png", &png(16_384, 16_384, 16, 6), &[limit, "2,816 MiB"]);
    refused("plain.png", &png(16_384, 16_384, 8, 2), &[limit, "1,536 MiB"]);
    refused("large.bmp", &bmp(16_384, 16_384), &[limit, "1,536 MiB"]);
    refused("deep.ppm", b"P6 16384 16384 65535\n", &[limit, "2,304 MiB"]);
    refused("large.gif", &gif(16_384, 16_384), &[limit, "2,048 MiB"]);
    refused("large.jpg", &jpeg(16_384, 16_384), &[limit, "1,536 MiB"]);
}

#[test]
fn the_largest_that_is_taken_ends_for_another_reason() {
    let message = |bytes: &[u8]| {
        let folder = tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, bytes).unwrap();
        load_image_file(&path).unwrap_err().to_string()
    };
    // Grey pixels of a byte take two: these limits are not reached, and the picture is not there.
    let error = message(&png(16_384, 16_384, 8, 0));
    assert!(error.contains("image contents"), "{error}");
    assert!(message(&bmp(16_384, 10_922)).contains("image contents"));
    assert!(message(&bmp(16_384, 10_923)).contains("1,025 MiB"));
}

#[test]
fn a_colour_profile_that_unpacks_to_gigabytes() {
    let zeros = vec![0; 200 << 20];
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &zeros).unwrap();
    let profile = [b"iCCPbomb\0\0".as_slice(), &packed.finish().unwrap()].concat();
    let mut bytes = png(4, 4, 8, 2);
    let end = bytes.len() - 12;
    bytes.splice(end..end, chunk(&profile));
    refused("profile.png", &bytes, &["image contents"]);
}
