//! Reading an image file: what it promises is checked before memory is asked for, and a picture that is not whole
//! is an error.

mod jpeg;
mod limits;

use std::io::Cursor;
use std::path::Path;

use firebrick_storage::read_bounded;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::error::DataError;
use crate::image::Image;
use crate::shape::InputShape;

/// The largest image file that is read, in bytes.
pub(crate) const MAX_IMAGE_FILE_BYTES: u64 = 256 << 20;

/// Reads and decodes an image file (PNG, JPEG, BMP, GIF, PNM, TIFF or WebP; the contents decide,
/// not the name). Grey images come back with one channel, all others with three; an alpha channel
/// is dropped and 16-bit or floating-point values become 8-bit. JPEG orientation tags are obeyed.
///
/// A file of at most 256 MiB is read, whose picture has at most 16,384 pixels a side and takes at most 1 GiB of memory
/// while it is decoded. That is known from its header, before the memory is asked for.
///
/// # Errors
/// [`DataError::Io`] or [`DataError::Storage`] when the file cannot be read or exceeds 256 MiB,
/// [`DataError::Malformed`] when it is not an image, is cut short, or is larger than these limits.
pub fn load_image_file(path: &Path) -> Result<Image, DataError> {
    let bytes = read_bounded(path, MAX_IMAGE_FILE_BYTES)?;
    decode_image(path, &bytes)
}

/// Decodes the contents of an image file; `path` is for messages only.
pub(crate) fn decode_image(path: &Path, bytes: &[u8]) -> Result<Image, DataError> {
    let (mut decoder, format) = open_decoder(path, bytes)?;
    let orientation = decoder.orientation().map_err(|error| not_an_image(path, &error))?;
    if format == ImageFormat::Jpeg {
        // The decoder fills what is missing with grey, without an error.
        jpeg::check_whole(bytes).map_err(|problem| incomplete(path, problem))?;
    }
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|error| not_an_image(path, &error))?;
    decoded.apply_orientation(orientation);
    Ok(to_planes(decoded))
}

/// Reads only the header: the shape that [`load_image_file`] will return.
pub(crate) fn probe(path: &Path, bytes: &[u8]) -> Result<InputShape, DataError> {
    let (mut decoder, _) = open_decoder(path, bytes)?;
    let (width, height) = decoder.dimensions();
    let channels = if limits::is_grey(decoder.color_type()) { 1 } else { 3 };
    let turned = decoder.orientation().is_ok_and(|orientation| matches!(orientation.to_exif(), 5..=8));
    let (width, height) = if turned { (height, width) } else { (width, height) };
    Ok(InputShape { channels, height: height as usize, width: width as usize })
}

/// A decoder that has read the header, and the format, after the checks of [`limits`].
fn open_decoder<'a>(
    path: &Path,
    bytes: &'a [u8],
) -> Result<(impl ImageDecoder + use<'a>, ImageFormat), DataError> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| DataError::io(path, "read", error))?;
    let Some(format) = reader.format() else {
        return Err(not_an_image(path, &"other contents"));
    };
    if let Some(size) = limits::size_in_header(format, bytes) {
        limits::check_size(path, size)?;
    }
    let mut decoder_limits = Limits::no_limits();
    decoder_limits.max_alloc = Some(limits::decoder_bytes(format));
    reader.limits(decoder_limits);
    let decoder = reader.into_decoder().map_err(|error| not_an_image(path, &error))?;
    limits::check_size(path, decoder.dimensions())?;
    let is_progressive = format == ImageFormat::Jpeg && jpeg::is_progressive(bytes);
    limits::check_memory(path, decoder.dimensions(), decoder.color_type(), format, is_progressive)?;
    Ok((decoder, format))
}

fn not_an_image(path: &Path, problem: &dyn std::fmt::Display) -> DataError {
    DataError::malformed(
        path,
        "image contents",
        "a PNG, JPEG, BMP, GIF, PNM, TIFF or WebP image",
        problem,
        "remove the file or replace it by an image that opens elsewhere",
    )
}

fn incomplete(path: &Path, problem: &str) -> DataError {
    DataError::malformed(
        path,
        "image contents",
        "a whole JPEG image",
        problem,
        "fetch or copy the file again, or remove it",
    )
}

/// Interleaved pixels to channel planes.
fn to_planes(decoded: DynamicImage) -> Image {
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    if limits::is_grey(decoded.color()) {
        let pixels = decoded.into_luma8().into_raw();
        return Image { channels: 1, height, width, pixels: pixels.into() };
    }
    let interleaved = decoded.into_rgb8().into_raw();
    let planes = (0..3).flat_map(|channel| interleaved.iter().skip(channel).step_by(3).copied());
    Image { channels: 3, height, width, pixels: planes.collect() }
}
