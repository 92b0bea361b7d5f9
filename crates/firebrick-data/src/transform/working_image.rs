//! The image a worker works on: pixels that transforms change in place, buffers that are kept.

use super::taps::Taps;
use crate::image::Image;
use crate::shape::{ImageSize, InputShape};
use crate::transform_error::TransformError;

/// A mutable image, channels x height x width, one byte a value.
///
/// A worker owns one for its whole life: the two buffers grow to the largest image seen and are
/// never given back, so a transform costs no allocation.
#[derive(Clone, Debug, Default)]
pub struct WorkingImage {
    channels: usize,
    height: usize,
    width: usize,
    pixels: Vec<u8>,
    /// Where a transform that cannot work in place writes; then the two change places.
    spare: Vec<u8>,
    pub(super) width_taps: Taps,
    pub(super) height_taps: Taps,
}

impl WorkingImage {
    /// An empty one, ready for [`WorkingImage::load`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a copy of `image`'s pixels.
    ///
    /// # Errors
    ///
    /// When the image is empty, or holds other than `channels * height * width` values.
    pub fn load(&mut self, image: &Image) -> Result<(), TransformError> {
        check_image(image)?;
        self.pixels.clear();
        self.pixels.extend_from_slice(&image.pixels);
        self.set_shape(image.channels, image.height, image.width);
        Ok(())
    }

    /// True before the first [`WorkingImage::load`].
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows, in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns, in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows and columns, in pixels.
    pub fn size(&self) -> ImageSize {
        ImageSize { height: self.height, width: self.width }
    }

    /// Channels, rows and columns.
    pub fn shape(&self) -> InputShape {
        InputShape { channels: self.channels, height: self.height, width: self.width }
    }

    /// The values, channel by channel, row by row.
    ///
    /// # Shapes
    ///
    /// `channels * height * width`
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The values, to be changed in place.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// Replaces the image by one of the shape `[channels, height, width]`: `write` is given the old pixels
    /// and the new ones. It must fill all of the new ones: they hold values of earlier images.
    pub fn rewrite(&mut self, [channels, height, width]: [usize; 3], write: impl FnOnce(&[u8], &mut [u8])) {
        self.spare.resize(channels * height * width, 0);
        write(&self.pixels, &mut self.spare);
        std::mem::swap(&mut self.pixels, &mut self.spare);
        self.set_shape(channels, height, width);
    }

    fn set_shape(&mut self, channels: usize, height: usize, width: usize) {
        self.channels = channels;
        self.height = height;
        self.width = width;
    }
}

/// Refuses an image that is empty, or whose pixels are not as many as its sides say.
///
/// # Errors
///
/// [`TransformError::Empty`] and [`TransformError::PixelCount`].
pub(super) fn check_image(image: &Image) -> Result<(), TransformError> {
    let shape = image.shape();
    let area = shape.channels.checked_mul(shape.height);
    let expected = area.and_then(|area| area.checked_mul(shape.width));
    if expected == Some(0) {
        return Err(TransformError::Empty { shape });
    }
    if expected != Some(image.pixels.len()) {
        let expected = expected.map_or("more than memory holds".into(), |count| count.to_string());
        return Err(TransformError::PixelCount { shape, expected, got: image.pixels.len() });
    }
    Ok(())
}
