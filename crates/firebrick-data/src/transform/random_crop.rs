//! Random crop: the image gets a border, and a window of its old size, or of another, is cut out somewhere.
//!
//! The border is put round the pixels, before normalisation, as torchvision does on PIL images:
//! with `fill = 0` it is black, not the mean colour.

use std::ops::Range;

use firebrick_component::{ArgumentError, Component, NoEffect, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::interface::Transform;
use super::padding::{MAX_PADDING, PaddingMode};
use super::side::{Sides, check_side};
use super::working_image::WorkingImage;
use crate::random::below;
use crate::shape::ImageSize;

/// Arguments of `random_crop`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RandomCropConfig {
    /// What is cut out: one side of a square, or `[height, width]`; pixels. The size of the image that comes in when not
    /// given. A smaller image gets a wider border, as with torchvision's `pad_if_needed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Sides>,
    /// Width of the border on each of the four sides, pixels.
    pub padding: usize,
    /// Value of the border's pixels in every channel, 0 to 255, when `padding_mode` is `constant`.
    pub fill: u8,
    /// What the border is made of.
    pub padding_mode: PaddingMode,
}

impl Component for RandomCropConfig {
    fn validate(&self) -> Result<(), ArgumentError> {
        if let Some(size) = self.size {
            check_side("size", size.size())?;
        }
        let expected = format!("at most {MAX_PADDING} pixels");
        check::that(self.padding <= MAX_PADDING, "padding", self.padding, expected)
    }

    fn without_effect(&self) -> Vec<NoEffect> {
        if self.padding == 0 && self.size.is_none() {
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
    fn sets_size(&self) -> bool {
        self.size.is_some()
    }

    fn output_size(&self, input: Option<ImageSize>) -> Result<Option<ImageSize>, ArgumentError> {
        self.validate()?;
        self.padding_mode.check(self.padding, input)?;
        Ok(self.size.map(Sides::size).or(input))
    }

    /// Cuts the window out of the image with its border, at a place drawn evenly.
    ///
    /// Without a border the window is the image, and nothing is drawn.
    ///
    /// # Source
    ///
    /// torchvision `RandomCrop`: the row first, then the column.
    fn apply(&self, image: &mut WorkingImage, generator: &mut ChaCha8Rng) {
        let (have, size) = (image.size(), self.size.map_or(image.size(), Sides::size));
        let borders = self.borders(have, size);
        let spare = |side: usize, border: usize, want: usize| (side + 2 * border - want) as u64;
        // A single place is not drawn.
        let top = below(generator, spare(have.height, borders[0], size.height) + 1) as usize;
        let left = below(generator, spare(have.width, borders[1], size.width) + 1) as usize;
        if (size, borders) != (have, [0, 0]) {
            self.cut(image, borders, [top, left], size);
        }
    }

    fn description(&self) -> String {
        match self.size {
            Some(size) => format!("random_crop to {} (padding {})", size.size(), self.padding),
            None => format!("random_crop (padding {})", self.padding),
        }
    }
}

impl RandomCropConfig {
    /// Cuts the window of the image's own size whose upper left corner is row `top` and column `left` of the image
    /// with its border, both from 0 to twice the padding.
    pub fn crop(&self, image: &mut WorkingImage, top: usize, left: usize) {
        let size = image.size();
        self.cut(image, [self.padding; 2], [top, left], size);
    }

    /// The borders above and below, and to both sides: the padding, or what is missing from `size` on each of the two
    /// sides where the image with its padding is smaller.
    fn borders(&self, have: ImageSize, size: ImageSize) -> [usize; 2] {
        let border = |have: usize, want: usize| self.padding + want.saturating_sub(have + 2 * self.padding);
        [border(have.height, size.height), border(have.width, size.width)]
    }

    /// Cuts out `size` pixels from a place of the image with its borders on.
    fn cut(&self, image: &mut WorkingImage, borders: [usize; 2], [top, left]: [usize; 2], size: ImageSize) {
        if image.is_empty() {
            return;
        }
        let (height, width) = (image.height(), image.width());
        // How far from the image's first pixel; below 0 or past the last is the border.
        let [top, left] = [top as isize - borders[0] as isize, left as isize - borders[1] as isize];
        let rows = self.sources(top, size.height, height);
        let columns = self.sources(left, size.width, width);
        let inside = inside(left, size.width, width);
        image.rewrite([image.channels(), size.height, size.width], |source, target| {
            let planes = source.chunks_exact(height * width);
            for (plane, out) in planes.zip(target.chunks_exact_mut(size.height * size.width)) {
                for (out, row) in out.chunks_exact_mut(size.width).zip(&rows) {
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

    /// For each of `length` pixels of a window that starts at `start`, along a side of `side` pixels: which pixel of the
    /// image it shows, or none for the constant border.
    fn sources(&self, start: isize, length: usize, side: usize) -> Vec<Option<usize>> {
        (0..length).map(|index| self.padding_mode.source(start + index as isize, side)).collect()
    }
}

/// Which of `length` pixels of a window that starts at `start`, along a side of `side` pixels, show the image and not its
/// border.
fn inside(start: isize, length: usize, side: usize) -> Range<usize> {
    let place = |at: isize| usize::try_from(at).unwrap_or(0).min(length);
    let (begin, end) = (place(-start), place(side as isize - start));
    begin..end.max(begin)
}
