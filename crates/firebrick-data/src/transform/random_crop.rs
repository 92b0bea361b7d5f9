//! Random crop: the image gets a border, and a window of its old size is cut out somewhere.
//!
//! The border is put round the pixels, before normalisation, as torchvision does on PIL images:
//! with `fill = 0` it is black, not the mean colour.

use std::ops::Range;

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::interface::Transform;
use super::working_image::WorkingImage;
use crate::random::below;
use crate::shape::ImageSize;

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

/// Arguments of `random_crop`. The window has the size of the image that comes in, so there is no
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

impl Component for RandomCropConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::that(
            self.padding <= MAX_PADDING,
            "padding",
            self.padding,
            format!("at most {MAX_PADDING} pixels"),
        )
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        if self.padding == 0 {
            return vec![NoEffect::new("", "without padding the whole image is cut out")];
        }
        let has_effect = self.fill == 0 || self.padding_mode == PaddingMode::Constant;
        NoEffect::unless(
            has_effect,
            "fill",
            "only padding_mode = \"constant\" fills the border with one value",
        )
    }
}

impl Transform for RandomCropConfig {
    fn output_size(&self, input: Option<ImageSize>) -> Result<Option<ImageSize>, ArgumentError> {
        self.validate()?;
        let mirrored = match self.padding_mode {
            PaddingMode::Constant | PaddingMode::Edge => return Ok(input),
            PaddingMode::Reflect => 1,
            PaddingMode::Symmetric => 0,
        };
        let Some(size) = input else {
            let expected =
                "`constant` or `edge` for images of different sizes (or a `resize` before this step)";
            return Err(ArgumentError::new("padding_mode", expected, self.padding_mode.name()));
        };
        let limit = size.height.min(size.width).saturating_sub(mirrored);
        let expected = format!("at most {limit} pixels to mirror images of {size}");
        check::that(self.padding <= limit, "padding", self.padding, expected)?;
        Ok(input)
    }

    /// Cuts the window out of the image with its border, at a place drawn evenly.
    ///
    /// Without a border the window is the image, and nothing is drawn.
    ///
    /// # Source
    ///
    /// torchvision `RandomCrop(size = the image's own)`: the row first, then the column.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        if self.padding == 0 {
            return;
        }
        let places = 2 * self.padding as u64 + 1;
        let top = below(generator, places) as usize;
        let left = below(generator, places) as usize;
        self.crop(image, top, left);
    }

    fn description(&self) -> String {
        format!("random_crop (padding {})", self.padding)
    }
}

impl PaddingMode {
    /// The name as the config spells it.
    fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Edge => "edge",
            Self::Reflect => "reflect",
            Self::Symmetric => "symmetric",
        }
    }
}

impl RandomCropConfig {
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
            // A border that `output_size` accepts never needs the clamp; without that check the outermost
            // pixel is repeated.
            Some(inside.clamp(0, last) as usize)
        };
        (0..length).map(source).collect()
    }
}
