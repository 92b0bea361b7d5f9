//! Random crop: the image gets a border, and a window of its old size is cut out somewhere.
//!
//! The border is put round the pixels, before normalisation, as torchvision does on PIL images:
//! with `fill = 0` it is black, not the mean colour.

use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::DataError;
use crate::random::below;
use crate::transform::WorkingImage;

/// Widest border, pixels. Far beyond any use; it keeps the arithmetic away from overflow.
const MAX_PADDING: usize = 1 << 16;

/// What the border is made of, by torchvision's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaddingMode {
    /// One value, `fill`.
    #[default]
    Constant,
    /// The outermost pixel again and again.
    Edge,
    /// Mirrored, the outermost pixel not repeated: `c b | a b c | b a`.
    Reflect,
    /// Mirrored, the outermost pixel repeated: `b a | a b c | c b`.
    Symmetric,
}

/// Arguments of `random_crop`. The window has the size of the model's input, so there is no
/// `size`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomCropConfig {
    /// Width of the border on each of the four sides, pixels.
    pub padding: usize,
    /// Value of the border's pixels in every channel, 0 to 255, when `padding_mode` is `constant`.
    pub fill: u8,
    /// What the border is made of.
    pub padding_mode: PaddingMode,
}

impl RandomCropConfig {
    /// Whether the border can be put round images of `height` x `width` pixels.
    ///
    /// # Errors
    ///
    /// A border of more than 65,536 pixels; a mirrored one wider than the image.
    pub fn validate(&self, height: usize, width: usize) -> Result<(), DataError> {
        let side = height.min(width);
        let limit = match self.padding_mode {
            PaddingMode::Constant | PaddingMode::Edge => MAX_PADDING,
            PaddingMode::Reflect => side.saturating_sub(1).min(MAX_PADDING),
            PaddingMode::Symmetric => side.min(MAX_PADDING),
        };
        if self.padding <= limit {
            return Ok(());
        }
        let expected = match limit {
            MAX_PADDING => format!("at most {limit} pixels"),
            _ => format!("at most {limit} pixels to mirror images of {height}x{width}"),
        };
        Err(DataError::argument("augment.random_crop.padding", expected, self.padding))
    }

    /// Cuts the window out of the image with its border, at a place drawn evenly.
    ///
    /// Without a border the window is the image, and nothing is drawn.
    ///
    /// # Source
    ///
    /// torchvision `RandomCrop(size = the image's own)`: the row first, then the column.
    pub fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if self.padding == 0 {
            return;
        }
        let places = 2 * self.padding as u64 + 1;
        let top = below(generator, places) as usize;
        let left = below(generator, places) as usize;
        self.crop(image, top, left);
    }

    /// Cuts the window whose upper left corner is row `top` and column `left` of the image with
    /// its border, both from 0 to twice the padding.
    pub fn crop(&self, image: &mut WorkingImage, top: usize, left: usize) {
        if image.is_empty() {
            return;
        }
        let (height, width) = (image.height(), image.width());
        let rows = self.sources(top, height);
        let columns = self.sources(left, width);
        let inside = self.inside(left, width);
        let shape = [image.channels(), height, width];
        image.rewrite(shape, |source, target| {
            let planes = source.chunks_exact(height * width);
            for (plane, out) in planes.zip(target.chunks_exact_mut(height * width)) {
                for (out, row) in out.chunks_exact_mut(width).zip(&rows) {
                    let row = row.map(|row| &plane[row * width..][..width]);
                    self.crop_row(row, &columns, inside.clone(), out);
                }
            }
        });
    }

    fn crop_row(&self, row: Option<&[u8]>, columns: &[Option<usize>], inside: Range<usize>, out: &mut [u8]) {
        let Some(row) = row else {
            return out.fill(self.fill);
        };
        let border = (0..inside.start).chain(inside.end..out.len());
        for place in border {
            out[place] = columns[place].map_or(self.fill, |column| row[column]);
        }
        // Most of a row is a plain copy, and a plain copy is what the machine does best.
        if let Some(&Some(first)) = columns.get(inside.start) {
            let length = inside.len();
            out[inside].copy_from_slice(&row[first..first + length]);
        }
    }

    /// Which pixels of a window that starts at `start`, along a side of `length` pixels, show the
    /// image and not its border.
    fn inside(&self, start: usize, length: usize) -> Range<usize> {
        let begin = self.padding.saturating_sub(start).min(length);
        let end = (self.padding + length).saturating_sub(start).min(length);
        begin..end.max(begin)
    }

    /// For each pixel of a window that starts at `start` along a side of `length` pixels: which
    /// pixel of the image it shows, or none for the constant border.
    fn sources(&self, start: usize, length: usize) -> Vec<Option<usize>> {
        let last = length as isize - 1;
        let source = |index: usize| {
            // How far from the image's first pixel; below 0 or past `last` is the border.
            let at = (start + index) as isize - self.padding as isize;
            let inside = match self.padding_mode {
                _ if (0..=last).contains(&at) => at,
                PaddingMode::Constant => return None,
                PaddingMode::Edge => at.clamp(0, last),
                PaddingMode::Reflect if at < 0 => -at,
                PaddingMode::Reflect => 2 * last - at,
                PaddingMode::Symmetric if at < 0 => -at - 1,
                PaddingMode::Symmetric => 2 * last + 1 - at,
            };
            // A checked config never needs the clamp; without a check it still names a pixel.
            Some(inside.clamp(0, last) as usize)
        };
        (0..length).map(source).collect()
    }
}
