//! One image as the sources hand it over, and the reading of an image file.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use firebrick_storage::read_bounded;
use image::{ColorType, DynamicImage, ImageDecoder, ImageReader, Limits};

use crate::error::DataError;
use crate::shape::InputShape;

/// The largest image file that is read, in bytes.
pub const MAX_IMAGE_FILE_BYTES: u64 = 256 << 20;
/// The largest width or height that is decoded, in pixels.
pub const MAX_IMAGE_SIDE: u32 = 16_384;
/// The most memory that decoding one image may take, in bytes.
const MAX_DECODE_BYTES: u64 = 1 << 30;

/// An image of 8-bit pixels. Cloning shares the pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `channels * height * width` values, channel by channel, row by row.
    pub pixels: Arc<[u8]>,
}

impl Image {
    /// The image's shape.
    pub fn shape(&self) -> InputShape {
        InputShape { channels: self.channels, height: self.height, width: self.width }
    }
}

/// One image and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The image as stored, before any transform.
    pub image: Image,
    /// The class, below the data set's number of classes: checked when read.
    pub label: u32,
}

/// Reads and decodes an image file (PNG, JPEG, BMP, GIF, PNM, TIFF or WebP; the contents decide,
/// not the name). Grey images come back with one channel, all others with three; an alpha channel
/// is dropped and 16-bit or floating-point values become 8-bit. JPEG orientation tags are obeyed.
///
/// # Errors
/// [`DataError::Io`] or [`DataError::Storage`] when the file cannot be read or exceeds 256 MiB,
/// [`DataError::Malformed`] when it is not an image, is cut short, or is larger than
/// 16,384 pixels a side.
pub fn load_image_file(path: &Path) -> Result<Image, DataError> {
    let bytes = read_bounded(path, MAX_IMAGE_FILE_BYTES)?;
    decode(path, &bytes)
}

/// Decodes the contents of an image file; `path` is for messages only.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<Image, DataError> {
    let mut decoder = open_decoder(path, bytes)?;
    let orientation = decoder.orientation().map_err(|error| not_an_image(path, &error))?;
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|error| not_an_image(path, &error))?;
    decoded.apply_orientation(orientation);
    Ok(to_planes(decoded))
}

/// Reads only the header: the shape that [`decode`] will return.
pub(crate) fn probe(path: &Path, bytes: &[u8]) -> Result<InputShape, DataError> {
    let mut decoder = open_decoder(path, bytes)?;
    let (width, height) = decoder.dimensions();
    let channels = if is_grey(decoder.color_type()) { 1 } else { 3 };
    let turned = decoder.orientation().is_ok_and(|orientation| matches!(orientation.to_exif(), 5..=8));
    let (width, height) = if turned { (height, width) } else { (width, height) };
    Ok(InputShape { channels, height: height as usize, width: width as usize })
}

fn open_decoder<'a>(path: &Path, bytes: &'a [u8]) -> Result<impl ImageDecoder + use<'a>, DataError> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| DataError::io(path, "read", error))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_IMAGE_SIDE);
    limits.max_image_height = Some(MAX_IMAGE_SIDE);
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| not_an_image(path, &error))?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 || width > MAX_IMAGE_SIDE || height > MAX_IMAGE_SIDE {
        return Err(DataError::malformed(
            path,
            "image header",
            format!("1 to {MAX_IMAGE_SIDE} pixels a side"),
            format!("{width}x{height}"),
            "remove the file or scale it down",
        ));
    }
    Ok(decoder)
}

fn not_an_image(path: &Path, error: &dyn std::error::Error) -> DataError {
    DataError::malformed(
        path,
        "image contents",
        "a PNG, JPEG, BMP, GIF, PNM, TIFF or WebP image",
        error,
        "remove the file or replace it by an image that opens elsewhere",
    )
}

fn is_grey(color: ColorType) -> bool {
    matches!(color, ColorType::L8 | ColorType::L16 | ColorType::La8 | ColorType::La16)
}

/// Interleaved pixels to channel planes.
fn to_planes(decoded: DynamicImage) -> Image {
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    if is_grey(decoded.color()) {
        let pixels = decoded.into_luma8().into_raw();
        return Image { channels: 1, height, width, pixels: pixels.into() };
    }
    let interleaved = decoded.into_rgb8().into_raw();
    let planes = (0..3).flat_map(|channel| interleaved.iter().skip(channel).step_by(3).copied());
    Image { channels: 3, height, width, pixels: planes.collect() }
}
