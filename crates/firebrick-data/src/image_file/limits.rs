//! How large a picture may be, told from its header.

use std::path::Path;

use image::{ColorType, ImageFormat};

use crate::error::DataError;

/// The largest width or height that is decoded, in pixels.
const MAX_SIDE: u32 = 16_384;
/// The most memory that decoding one picture may take beside the file itself, in bytes.
const MAX_DECODE_BYTES: u64 = 1 << 30;
/// The most that a PNG decoder may take beside the picture: for a row and for packed chunks, such as a colour profile.
const MAX_PNG_CHUNK_BYTES: u64 = 64 << 20;

/// What the format's own decoder may ask for.
pub(super) fn decoder_bytes(format: ImageFormat) -> u64 {
    match format {
        ImageFormat::Png => MAX_PNG_CHUNK_BYTES,
        _ => MAX_DECODE_BYTES,
    }
}

/// Width and height, where they stand at a fixed place and the decoder asks for memory before it tells them.
pub(super) fn size_in_header(format: ImageFormat, bytes: &[u8]) -> Option<(u32, u32)> {
    let number = |start: usize| Some(u32::from_be_bytes(bytes.get(start..start + 4)?.try_into().ok()?));
    match format {
        ImageFormat::Png => Some((number(16)?, number(20)?)),
        _ => None,
    }
}

/// Refuses a picture with a side of no pixel or of too many.
pub(super) fn check_size(path: &Path, (width, height): (u32, u32)) -> Result<(), DataError> {
    let is_good = |side| (1..=MAX_SIDE).contains(&side);
    if is_good(width) && is_good(height) {
        return Ok(());
    }
    let expected = format!("1 to {} pixels a side", thousands(MAX_SIDE.into()));
    Err(too_large(path, expected, pixels((width, height))))
}

/// Refuses a picture that takes too much memory while it is decoded.
pub(super) fn check_memory(
    path: &Path,
    size: (u32, u32),
    color: ColorType,
    format: ImageFormat,
    is_progressive: bool,
) -> Result<(), DataError> {
    let needed = u64::from(size.0) * u64::from(size.1) * bytes_per_pixel(color, format, is_progressive);
    if needed <= MAX_DECODE_BYTES {
        return Ok(());
    }
    let expected = format!("at most {} MiB of memory to decode it", thousands(MAX_DECODE_BYTES >> 20));
    let got = format!("{}, which take {} MiB", pixels(size), thousands(needed.div_ceil(1 << 20)));
    Err(too_large(path, expected, got))
}

/// The most that lies in memory at once: the decoder's own buffers and its pixels, or these and the same as 8-bit
/// pixels, or those and the planes.
fn bytes_per_pixel(color: ColorType, format: ImageFormat, is_progressive: bool) -> u64 {
    let decoded = u64::from(color.bytes_per_pixel());
    let channels = if is_grey(color) { 1 } else { 3 };
    let as_8_bit = if decoded == channels { 0 } else { channels };
    let decoder = match format {
        // Two bytes a coefficient, of up to four components.
        ImageFormat::Jpeg if is_progressive => 8,
        // A frame of its own beside the canvas.
        ImageFormat::Gif | ImageFormat::WebP => 4,
        _ => 0,
    };
    decoded + decoder.max(as_8_bit).max(channels)
}

/// True for one channel, with or without an alpha channel.
pub(super) fn is_grey(color: ColorType) -> bool {
    matches!(color, ColorType::L8 | ColorType::L16 | ColorType::La8 | ColorType::La16)
}

fn too_large(path: &Path, expected: String, got: String) -> DataError {
    DataError::malformed(path, "image header", expected, got, "scale the picture down, or remove the file")
}

fn pixels((width, height): (u32, u32)) -> String {
    format!("{} x {} pixels", thousands(width.into()), thousands(height.into()))
}

/// `16,384` for 16384.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use image::{ColorType, ImageFormat};

    use super::{bytes_per_pixel, thousands};

    #[test]
    fn numbers_have_commas() {
        assert_eq!(
            [7, 123, 1_000, 16_384, 1_234_567].map(thousands),
            ["7", "123", "1,000", "16,384", "1,234,567"]
        );
    }

    #[test]
    fn memory_counts_what_is_there_at_once() {
        let png = |color| bytes_per_pixel(color, ImageFormat::Png, false);
        assert_eq!(png(ColorType::L8), 2, "pixels, planes");
        assert_eq!(png(ColorType::Rgb8), 6, "pixels, planes");
        assert_eq!(png(ColorType::Rgba16), 11, "eight bytes, and three as 8-bit");
        assert_eq!(
            bytes_per_pixel(ColorType::Rgb8, ImageFormat::Jpeg, true),
            11,
            "coefficients beside pixels"
        );
    }
}
